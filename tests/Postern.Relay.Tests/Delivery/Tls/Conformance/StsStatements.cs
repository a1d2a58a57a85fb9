using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls.Sts;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>The record and the policy of MTA-STS as they are written, and which hosts a policy allows (RFC 8461 §3.1, §3.2, §4.1).</summary>
internal static class StsStatements
{
    public static IEnumerable<Statement> All => [.. Records, .. Policies, .. Matching];

    private static IEnumerable<Statement> Records =>
    [
        new("8461 §3.1", "The example _mta-sts.example.com is read", () => Assert.Equal("20160831085700Z", IdOf("v=STSv1; id=20160831085700Z;"))),
        new("8461 §3.1", "The version stands first", () => Assert.Null(IdOf("id=1; v=STSv1;"))),
        new("8461 §3.1", "The order of other fields does not matter", () => Assert.Equal("1", IdOf("v=STSv1; later=x; id=1"))),
        new("8461 §3.1", "White space around the semicolons is allowed, and a last semicolon is", () =>
        {
            Assert.Equal("1", IdOf("v=STSv1 ; id=1 ;"));
            Assert.Equal("1", IdOf("v=STSv1;id=1"));
            Assert.Equal("1", IdOf("v=STSv1;\tid=1; "));
        }),
        new("8461 §3.1", "Fields that are unknown are passed over", () => Assert.Equal("1", IdOf("v=STSv1; id=1; a.b-c_1=!x:y<z>"))),
        new("8461 §3.1", "Of a field that comes twice the first counts", () => Assert.Equal("1", IdOf("v=STSv1; id=1; id=2;"))),
        new("8461 §3.1", "The id has 1 to 32 letters and digits", () =>
        {
            Assert.Equal(new string('a', 32), IdOf($"v=STSv1; id={new string('a', 32)};"));
            Assert.All(new[] { "", new string('a', 33), "a-b", "a b", "ä" }, static id => Assert.Null(IdOf($"v=STSv1; id={id};")));
        }),
        new("8461 §3.1", "Version and names are compared with their case", () =>
        {
            Assert.Null(IdOf("V=STSv1; id=1;"));
            Assert.Null(IdOf("v=stsv1; id=1;"));
            Assert.Null(IdOf("v=STSv1; ID=1;"));
        }),
        new("8461 §3.1", "A record that breaks the syntax is none: no field, no '=', no name, two semicolons, a name of more than 32", () =>
            Assert.All(new[] { "v=STSv1;", "v=STSv1; id=1; x", "v=STSv1; id=1; =x", "v=STSv1;; id=1", "v=STSv1; id=1; x=", $"v=STSv1; id=1; {new string('n', 33)}=x" }, static text => Assert.Null(IdOf(text)))),
        new("8461 §3.1", "Records that do not begin with v=STSv1; are not looked at", () => Assert.Equal("1", IdOf("v=spf1 -all", "v=STSv10; id=9", "v=STSv1", "v=STSv1; id=1;"))),
        new("8461 §3.1", "Two records that do are none", () => Assert.Null(IdOf("v=STSv1; id=1;", "v=STSv1; id=1;"))),
        new("8461 §3.1", "Strings of one record are joined without anything in between", () =>
        {
            var question = new byte[512];
            var length = DnsMessage.WriteQuestion(question, 7, "_mta-sts.example.com", DnsType.Txt);
            var reply = Dns.ScriptedDns.Encode(question.AsSpan(0, length), new Dns.DnsReply(0, [("", DnsType.Txt, [8, .. "v=STSv1;"u8, 5, .. " id=1"u8, 2, .. "2;"u8])]));
            Assert.Equal("12", StsRecord.IdOf(DnsMessage.TryRead(reply, 7, "_mta-sts.example.com", DnsType.Txt)!.Records));
        }),
        new("8461 §3.1", "The record of example.com stands at _mta-sts.example.com", () => Assert.Equal("_mta-sts.example.com", StsRecord.NameOf("example.com"))),
    ];

    private static IEnumerable<Statement> Policies =>
    [
        new("8461 §3.2", "The example policy is read, with line ends of either kind", () =>
        {
            foreach (var end in new[] { "\r\n", "\n" })
            {
                var policy = Read(string.Join(end, "version: STSv1", "mode: enforce", "mx: mail.example.com", "mx: *.example.net", "mx: backupmx.example.com", "max_age: 604800", ""));
                Assert.Equal((StsMode.Enforce, 604800, "mail.example.com *.example.net backupmx.example.com"), (policy!.Mode, (int)policy.MaxAge.TotalSeconds, string.Join(' ', policy.Mx)));
            }
        }),
        new("8461 §3.2", "The last line need not end, and white space may stand before a line end and behind the colon", () => Assert.NotNull(Read("version:STSv1 \nmode:  enforce\t\nmx:\ta.example \nmax_age: 60"))),
        new("8461 §3.2", "The order of fields does not matter", () => Assert.NotNull(Read("max_age: 60\nmx: a.example\nmode: testing\nversion: STSv1\n"))),
        new("8461 §3.2", "Fields that are unknown are passed over, their text may be UTF-8", () => Assert.NotNull(Read("version: STSv1\nmode: enforce\nx-later.1_2: grün und blau\nmx: a.example\nmax_age: 60\n"))),
        new("8461 §3.2", "Of a field that comes twice the first counts, but for mx", () =>
        {
            var policy = Read("version: STSv1\nmode: testing\nmode: enforce\nmx: a.example\nmx: b.example\nmax_age: 60\nmax_age: 9\nversion: STSv2\n");
            Assert.Equal((StsMode.Testing, 60, 2), (policy!.Mode, (int)policy.MaxAge.TotalSeconds, policy.Mx.Length));
        }),
        new("8461 §3.2", "Names and words are compared with their case", () =>
            Assert.All(new[] { "Version: STSv1\nmode: none\nmax_age: 60", "version: stsv1\nmode: none\nmax_age: 60", "version: STSv1\nmode: None\nmax_age: 60", "version: STSv1\nmode: none\nMax_Age: 60" }, static text => Assert.Null(Read(text)))),
        new("8461 §3.2", "version, mode and max_age must be there", () =>
            Assert.All(new[] { "mode: none\nmax_age: 60", "version: STSv1\nmax_age: 60", "version: STSv1\nmode: none", "" }, static text => Assert.Null(Read(text)))),
        new("8461 §3.2", "mx must be there, unless the mode is none", () =>
        {
            Assert.Null(Read("version: STSv1\nmode: enforce\nmax_age: 60"));
            Assert.Null(Read("version: STSv1\nmode: testing\nmax_age: 60"));
            Assert.Equal(StsMode.None, Read("version: STSv1\nmode: none\nmax_age: 60")!.Mode);
        }),
        new("8461 §3.2", "max_age is a number of 1 to 10 digits; more than 31557600 seconds count as that", () =>
        {
            Assert.Equal([0, 1, 31557600, 31557600, 31557600], new[] { "0", "0000000001", "31557600", "31557601", "9999999999" }.Select(static age => (int)Read($"version: STSv1\nmode: none\nmax_age: {age}")!.MaxAge.TotalSeconds));
            Assert.All(new[] { "", "-1", "+1", "1.5", "1 000", "0x10", "12345678901", "١" }, static age => Assert.Null(Read($"version: STSv1\nmode: none\nmax_age: {age}")));
        }),
        new("8461 §3.2", "An mx is a host name, or '*.' and a host name", () =>
        {
            Assert.All(new[] { "a.example", "*.a.example", "xn--bcher-kva.example", "localhost" }, static mx => Assert.NotNull(Read($"version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 60")));
            Assert.All(new[] { "", "*", "*.", "a*.example", "*a.example", "a.*.example", "*.*.example", "[192.0.2.1]", "a b", ".a.example", "a@b.example" }, static mx => Assert.Null(Read($"version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 60")));
        }),
        new("8461 §3.2", "What is no policy is none: a page of HTML, a line without a colon, a name that is none", () =>
            Assert.All(new[] { "<html></html>", "version: STSv1\nmode: none\nmax_age: 60\nwhat", "version: STSv1\nmode: none\nmax_age: 60\n: x" }, static text => Assert.Null(Read(text)))),
    ];

    private static IEnumerable<Statement> Matching =>
    [
        .. new[]
        {
            ("mail.example.com", "mail.example.com", true), ("mail.example.com", "MAIL.Example.COM", true), ("mail.example.com", "mail.example.com.", true), ("mail.example.com", "x.mail.example.com", false), ("mail.example.com", "example.com", false),
            ("*.example.com", "mail.example.com", true), ("*.example.com", "example.com", false), ("*.example.com", "foo.bar.example.com", false), ("*.example.com", "mailexample.com", false), ("*.example.com", "mail.example.com.evil.test", false),
        }.Select(static row => new Statement("8461 §4.1", $"{row.Item1.Replace("*", "\\*", StringComparison.Ordinal)} {(row.Item3 ? "allows" : "does not allow")} {row.Item2}", () =>
            Assert.Equal(row.Item3, new StsPolicy(StsMode.Enforce, TimeSpan.FromDays(1), [row.Item1]).Allows(row.Item2)))),
    ];

    private static string? IdOf(params string[] texts) => StsRecord.IdOf(texts.Select(static t => new DnsRecord.Txt("x", TimeSpan.Zero, t)));

    private static StsPolicy? Read(string text) => StsPolicy.Parse(text).Policy;
}
