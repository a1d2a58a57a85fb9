using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Tests.Grammar;

/// <summary>One mailbox has one spelling, one set of rights, and comes back from the wire as it went.</summary>
public sealed class MailboxTests
{
    private static readonly Gen<byte[]> Wire =
        Gen.Elements("a\"\\@.b A%!<> \r\n\0[]:-1é用\u0301\u202e\u00a0\u037e\u212a".EnumerateRunes().Select(static r => r.ToString()).ToArray())
            .ArrayOf().Select(static parts => Encoding.UTF8.GetBytes(string.Concat(parts)));

    private static readonly Gen<byte[]> LikelyWire =
        from quoted in Gen.Elements(true, false)
        from local in Gen.Elements("a", "B", ".", "%", "\\\\", "\\\"", "\\x", " ", "@", "é", "E\u0301", "用", "\u212a", "\u037e", "ß", "İ").ArrayOf().Where(static p => p.Length > 0)
        from domain in Gen.Elements("x", "X.example", "bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "[192.0.2.1]", "[IPv6:2001:DB8::1]", "用户.example")
        select Encoding.UTF8.GetBytes(quoted ? $"\"{string.Concat(local)}\"@{domain}" : $"{string.Concat(local)}@{domain}");

    private static IEnumerable<Rune> NonAscii =>
        Enumerable.Range(0x80, 0x110000 - 0x80).Where(Rune.IsValid).Select(static v => new Rune(v)).Where(IsTried);

    /// <summary>
    /// Most code points are not assigned, or are for private use, and have no other form: one in 61 of these is tried, and each of the others.
    /// </summary>
    private static bool IsTried(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse) || rune.Value % 61 == 0;

    [Fact]
    public void Whatever_is_parsed_is_printable_and_parses_again_to_itself() =>
        Prop.ForAll(Gen.OneOf(Wire, LikelyWire).ToArbitrary(), static octets =>
        {
            if (!Mailbox.TryParse(octets, out var mailbox))
                return;
            Assert.DoesNotContain(mailbox.Address, static c => char.IsControl(c) || c is '\u202e' or '\u00a0');
            Assert.True(Encoding.UTF8.GetByteCount(mailbox.Address) <= Mailbox.MaxOctets);
            Assert.True(Mailbox.TryParse(mailbox.Address, out var again), mailbox.Address);
            Assert.Equal(mailbox.Address, again.Address);
            Assert.Equal((mailbox.LocalPart, mailbox.Domain), (again.LocalPart, again.Domain));
            Assert.True(Mailbox.TryParse(mailbox.Canonical, out var canonical), mailbox.Canonical);
            Assert.Equal(mailbox.Canonical, canonical.Canonical);
            Assert.Equal(mailbox, canonical);
            Assert.True(canonical.IsStrict || Encoding.UTF8.GetByteCount(canonical.LocalPart) > Mailbox.MaxLocalPartOctets, mailbox.Canonical);
            Assert.Equal(mailbox.IsStrict, LocalParts.IsStrict(Encoding.UTF8.GetBytes(mailbox.Address)));
            Assert.Equal(mailbox.GetHashCode(), canonical.GetHashCode());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(10_000));

    [Fact]
    public void A_path_is_read_as_it_was_written() =>
        Prop.ForAll(Gen.OneOf(Wire, LikelyWire).ToArbitrary(), static octets =>
        {
            var written = Mailbox.TryParse(octets, out var mailbox) ? new ReversePath(mailbox) : ReversePath.Null;
            Assert.True(PathParser.TrySplit(Encoding.UTF8.GetBytes($"FROM:{written} BODY=7BIT"), "FROM:"u8, out var path, out var parameters));
            Assert.Equal("BODY=7BIT", Encoding.ASCII.GetString(parameters));
            Assert.Equal(written, path.IsEmpty ? ReversePath.Null : new ReversePath(Mailbox.TryParse(path, out var read) ? read : null));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Fact]
    public void A_domain_parses_again_to_itself() =>
        Prop.ForAll(Gen.Elements("a", "B", ".", "-", "_", "1", "ü", "Ü", "u\u0308", "用", "xn--", "ß", "。", "ａ", "[", "]").ArrayOf().ToArbitrary(), static parts =>
        {
            if (!Domain.TryParse(string.Concat(parts), out var domain))
                return;
            Assert.False(domain.Text.AsSpan().ContainsAnyExceptInRange('!', '~'));
            Assert.Equal(domain, Domain.Parse(domain.Text));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(10_000));

    [Fact]
    public void Row_229_no_code_point_in_a_local_part_becomes_an_ascii_sign_in_any_normal_form()
    {
        foreach (var rune in NonAscii)
        {
            foreach (var written in new[] { $"a{rune}b@x.example", $"\"a {rune}b\"@x.example", $"\"@{rune}\"@x.example" })
            {
                if (!Mailbox.TryParse(written, out var mailbox))
                    continue;
                var most = Signs(written);
                foreach (var form in new[] { NormalizationForm.FormC, NormalizationForm.FormD, NormalizationForm.FormKC, NormalizationForm.FormKD })
                {
                    // A sign can be taken away by composition (a sign and its stroke), never added.
                    foreach (var text in new[] { mailbox.Address, mailbox.Canonical, mailbox.Address.ToUpperInvariant() }.Distinct(StringComparer.Ordinal))
                        Assert.True(Signs(text.Normalize(form)) <= most, $"U+{rune.Value:X4} in {form}");
                }
            }
        }

        static int Signs(string text) => text.Count(static c => char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c));
    }

    [Theory]
    [InlineData("user\uff20other@x.example")] // full-width @
    [InlineData("user\uff05other@x.example")] // full-width %
    [InlineData("\"user\ufe6aother\"@x.example")] // small %, quoted
    [InlineData("user\uff01other@x.example")]
    [InlineData("a\u2026b@x.example")] // an ellipsis is three dots
    [InlineData("a\u2024b@x.example")]
    [InlineData("a\u00b4b@x.example")] // a space and an accent
    [InlineData("\"a\u037eb\"@x.example")] // canonically a semicolon
    [InlineData("a\u226eb@x.example")] // a less-than sign and a stroke
    public void Row_229_a_local_part_that_hides_a_sign_is_no_mailbox(string address) => Assert.False(Mailbox.TryParse(address, out _));

    [Theory]
    [InlineData("\uff41\uff11@x.example")] // full-width letters and digits are letters and digits
    [InlineData("\ufb01n@x.example")]
    [InlineData("re\u0301sume\u0301@x.example")]
    [InlineData("\u7528\u6237.\u7528@x.example")]
    [InlineData("\"\u7528 \u6237\"@x.example")]
    public void A_local_part_of_letters_of_any_script_is_one(string address) => Assert.True(Mailbox.TryParse(address, out _));

    [Fact]
    public void Row_229_no_code_point_in_a_domain_makes_a_dot_a_bracket_or_another_ascii_name()
    {
        foreach (var rune in NonAscii)
        {
            if (Domain.TryParse($"a{rune}b.example", out var domain))
                Assert.Matches("^xn--[a-z0-9-]+\\.example$", domain.Text);
            if (Domain.TryParse($"{rune}127.0.0.1]", out domain))
                Assert.Null(domain.Literal);
        }
    }

    [Fact]
    public void Xtext_is_decoded_as_it_was_encoded() =>
        Prop.ForAll(Gen.Choose(' ', '~').Select(static c => (char)c).ArrayOf().ToArbitrary(), static text =>
        {
            var encoded = Encoding.ASCII.GetBytes(XText.Encode(new string(text)));
            var decoded = new byte[text.Length];
            Assert.True(XText.TryDecode(encoded, decoded, out var length));
            Assert.Equal(new string(text), Encoding.ASCII.GetString(decoded.AsSpan(0, length)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Theory]
    [InlineData("\"lisa\"@example.org", "lisa@example.org")]
    [InlineData("\"l\\i\\s\\a\"@example.org", "lisa@example.org")]
    [InlineData("\"li.sa\"@example.org", "li.sa@example.org")]
    [InlineData("\"li..sa\"@example.org", "\"li..sa\"@example.org")]
    [InlineData("li..sa@example.org", "li..sa@example.org")]
    [InlineData(".Lisa.@Example.org", ".Lisa.@example.org")]
    [InlineData("\"a\\ b\"@example.org", "\"a b\"@example.org")]
    [InlineData("\"a\\@b\"@example.org", "\"a@b\"@example.org")]
    [InlineData("\"a\\\"\\\\b\"@example.org", "\"a\\\"\\\\b\"@example.org")]
    [InlineData("\"josé\"@bücher.example", "josé@xn--bcher-kva.example")]
    [InlineData("jose\u0301@BÜCHER.example", "jose\u0301@xn--bcher-kva.example")]
    public void A_mailbox_is_kept_with_the_least_quoting(string text, string address) => Assert.Equal(address, Mailbox.Parse(text).Address);

    [Theory]
    [InlineData("\"LISA\"@Example.ORG", "lisa@example.org")]
    [InlineData("a..b@example.org", "\"A..B\"@example.org")]
    [InlineData(".a@example.org", "\"\\.a\"@example.org")]
    [InlineData("a.@example.org", "\"a.\"@example.org")]
    [InlineData("JOSÉ..@example.org", "\"jose\u0301..\"@example.org")]
    [InlineData("jose\u0301@example.org", "JOSÉ@example.org")]
    [InlineData("\"jos\u00e9\"@example.org", "jose\u0301@example.org")]
    [InlineData("a@BÜCHER.example", "a@xn--bcher-kva.example")]
    [InlineData("a@bu\u0308cher.example", "a@bücher.example")]
    public void Spellings_of_one_mailbox_are_equal(string one, string other)
    {
        Assert.Equal(Mailbox.Parse(one), Mailbox.Parse(other));
        Assert.Equal(Mailbox.Parse(one).Canonical, Mailbox.Parse(other).Canonical);
        Assert.Equal(Mailbox.Parse(one).GetHashCode(), Mailbox.Parse(other).GetHashCode());
    }

    /// <summary>A right that was granted, and a message that was stored, when quotes were wanted are what they were.</summary>
    [Theory]
    [InlineData("\"a..b\"@example.org")]
    [InlineData("\".a\"@example.org")]
    [InlineData("\"a.\"@example.org")]
    [InlineData("\".\"@example.org")]
    public void The_form_that_is_compared_keeps_the_quotes_that_the_RFC_wants(string address)
    {
        Assert.Equal(address, Mailbox.Parse(address).Address);
        Assert.Equal(address, Mailbox.Parse(address).Canonical);
        if (Mailbox.TryParse(address.Replace("\"", string.Empty, StringComparison.Ordinal), out var without))
            Assert.Equal(address, without.Canonical);
    }

    [Fact]
    public void An_address_whose_compared_form_has_no_room_in_a_path_is_none()
    {
        Assert.True(Mailbox.TryParse($"{new string('a', 248)}..@b", out var longest));
        Assert.Equal(Mailbox.MaxOctets, longest.Canonical.Length);
        Assert.False(Mailbox.TryParse($"{new string('a', 249)}..@b", out _));
    }

    [Theory]
    [InlineData("a@xn--bcher-kva.example", true)]
    [InlineData("a@bücher.example", true)]
    [InlineData("é@example.org", false)]
    public void Only_the_local_part_can_need_smtputf8(string text, bool isAscii) => Assert.Equal(isAscii, Mailbox.Parse(text).IsAscii);

    [Theory]
    [InlineData("a\u0085b@example.org")]
    [InlineData("a\u202eb@example.org")]
    [InlineData("a\u200fb@example.org")]
    [InlineData("a\u2066b@example.org")]
    [InlineData("a\ufdd0b@example.org")]
    [InlineData("a\U0001FFFEb@example.org")]
    [InlineData("a\ufffdb@example.org")]
    [InlineData("a\ud800b@example.org")]
    [InlineData("a\u00a0b@example.org")]
    [InlineData("a\u037eb@example.org")]
    [InlineData("a@ex\u00adample.org")]
    [InlineData("a@ｅxample.org")]
    [InlineData("a@example。org")]
    [InlineData("a@-ü.example")]
    [InlineData("a@ü_b.example")]
    public void Characters_that_deceive_are_in_no_mailbox(string text) => Assert.False(Mailbox.TryParse(text, out _));

    [Fact]
    public void The_mailboxes_named_last_are_parsed_once()
    {
        var recent = new RecentMailboxes();
        Assert.True(recent.TryParse("alice@example.org"u8, out var first));
        Assert.True(recent.TryParse("bob@example.org"u8, out _));
        Assert.True(recent.TryParse("alice@example.org"u8, out var second));
        Assert.Same(first, second);
        Assert.True(recent.TryParse("Alice@example.org"u8, out var other));
        Assert.Equal("Alice@example.org", other.Address);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Assert.True(recent.TryParse("bob@example.org"u8, out _));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_mailbox_that_was_pushed_out_is_parsed_again()
    {
        var recent = new RecentMailboxes();
        for (var i = 0; i < 20; i++)
        {
            Assert.True(recent.TryParse(Encoding.ASCII.GetBytes($"user{i % 6}@example.org"), out var mailbox));
            Assert.Equal($"user{i % 6}@example.org", mailbox.Address);
        }

        Assert.False(recent.TryParse("nobody"u8, out _));
    }
}
