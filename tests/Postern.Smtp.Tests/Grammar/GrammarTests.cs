using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Tests.Grammar;

public sealed class GrammarTests
{
    [Theory]
    [InlineData("example.org", "example.org")]
    [InlineData("EXAMPLE.Org", "example.org")]
    [InlineData("a", "a")]
    [InlineData("my_host.local", "my_host.local")]
    [InlineData("[192.0.2.1]", "[192.0.2.1]")]
    [InlineData("[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]")]
    public void A_domain_has_one_canonical_form(string text, string canonical) => Assert.Equal(canonical, Domain.Parse(text).Text);

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..b")]
    [InlineData("a.")]
    [InlineData("-a.b")]
    [InlineData("a-.b")]
    [InlineData("a b")]
    [InlineData("[1.2.3]")]
    [InlineData("[1.2.3.4")]
    [InlineData("[IPv6:192.0.2.1]")]
    [InlineData("[192.0.2.1%eth0]")]
    [InlineData("a\0b")]
    [InlineData("a\r\nb")]
    public void What_is_no_domain_is_refused(string text) => Assert.False(Domain.TryParse(text, out _));

    [Fact]
    public void A_label_of_64_octets_is_too_long() => Assert.False(Domain.TryParse(new string('a', 64) + ".example", out _));

    [Fact]
    public void A_local_part_is_as_long_as_the_path_has_room_and_strict_up_to_64_octets()
    {
        Assert.True(Mailbox.Parse(new string('a', 64) + "@b").IsStrict);
        Assert.False(Mailbox.Parse(new string('a', 65) + "@b").IsStrict);
        Assert.True(Mailbox.TryParse(new string('a', 252) + "@b", out _));
        Assert.False(Mailbox.TryParse(new string('a', 253) + "@b", out _));
    }

    [Fact]
    public void Whatever_is_parsed_holds_no_control_octet_and_parses_again_to_itself()
    {
        var octets = Gen.Elements("a\"\\@.<> \r\n\0[]:1é".Select(static c => (byte)c).ToArray()).ArrayOf();
        var property = Prop.ForAll(octets.ToArbitrary(), static text =>
            !Mailbox.TryParse(text, out var mailbox)
            || (!mailbox.Address.AsSpan().ContainsAnyExceptInRange(' ', '~') && Mailbox.TryParse(mailbox.Address, out var again) && again.Equals(mailbox)));
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Theory]
    [InlineData("\"a\\\"b c\"@example.org")]
    [InlineData("a+b/c=d@example.org")]
    [InlineData("\"@\"@example.org")]
    public void Odd_but_valid_mailboxes_are_kept_as_written(string text) => Assert.Equal(text, Mailbox.Parse(text).Address);

    [Theory]
    [InlineData("a@b@c")]
    [InlineData("\"a@b")]
    [InlineData("\"\"@b")]
    [InlineData("a\"b@c")]
    [InlineData("\"a\"b@c")]
    [InlineData(".@b")]
    [InlineData("..@b")]
    [InlineData("a..b c@b")]
    [InlineData("@b")]
    [InlineData("a@")]
    [InlineData("a")]
    public void What_is_no_mailbox_is_refused(string text) => Assert.False(Mailbox.TryParse(text, out _));

    [Fact]
    public void A_reply_cannot_be_split_by_its_text()
    {
        var reply = new Reply(550, new(5, 7, 1), "no\r\n250 yes\0é");
        Assert.Equal("550 5.7.1 no??250 yes??\r\n", Encoding.ASCII.GetString(reply.Encoded.Span));
    }

    [Fact]
    public void A_reply_of_several_lines_marks_all_but_the_last() =>
        Assert.Equal("250-2.0.0 a\r\n250 2.0.0 b\r\n", Encoding.ASCII.GetString(new Reply(250, new(2, 0, 0), "a", "b").Encoded.Span));

    [Theory]
    [InlineData("5.7.1", true)]
    [InlineData("5.7", false)]
    [InlineData("3.0.0", false)]
    [InlineData("5.1000.1", false)]
    [InlineData("5.-1.1", false)]
    public void Enhanced_status_codes_have_three_numbers(string text, bool valid) => Assert.Equal(valid, EnhancedStatus.Parse(text) is not null);
}
