using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Relay.Tests.Delivery.Dns;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>TLSA records as they are written, and which of them can be used.</summary>
internal static class DaneRecordStatements
{
    /// <summary>The certificate of RFC 6698, Appendix C, and each association with it.</summary>
    private static readonly string[] AppendixC = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Delivery", "Tls", "Conformance", "rfc6698-c.txt"));

    public static IEnumerable<Statement> All
    {
        get
        {
            yield return new("6698 §2.1", "A record is a usage, a selector, a matching type and data; their octets are read from the wire as they stand", () =>
                Assert.Equal((3, 1, 1, "AABB"), Read([3, 1, 1, 0xAA, 0xBB]) is { } r ? (r.Usage, r.Selector, r.Matching, Convert.ToHexString(r.Data.AsSpan())) : default));
            yield return new("6698 §2.1", "A record shorter than its three fields makes the answer unreadable, which is a failure and no absence", () => Assert.Null(Read([3, 1])));
            foreach (var (usage, selector, matching, isUsable, says) in Combinations())
            {
                yield return new("6698 §2.1", says, () =>
                {
                    var data = new byte[matching switch { 1 => 32, 2 => 64, _ => 40 }];
                    Assert.Equal(isUsable, TlsaRecord.IsUsable(new DnsRecord.Tlsa("x", TimeSpan.Zero, usage, selector, matching, [.. data])));
                });
            }

            foreach (var (matching, length) in new[] { ((byte)1, 31), ((byte)1, 33), ((byte)2, 32), ((byte)2, 65), ((byte)0, 0) })
            {
                yield return new("6698 §2.1.4", $"Data of {length} octets with matching type {matching} is malformed, and the record cannot be used", () =>
                    Assert.False(TlsaRecord.IsUsable(new DnsRecord.Tlsa("x", TimeSpan.Zero, 3, 1, matching, [.. new byte[length]]))));
            }

            yield return new("6698 §2.3", "The examples 0 0 1 and 1 1 2 are of usages that SMTP does not use, the example 3 0 0 can be used", () =>
            {
                Assert.False(TlsaRecord.IsUsable(Of(0, 0, 1, "d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971")));
                Assert.False(TlsaRecord.IsUsable(Of(1, 1, 2, "92003ba34942dc74152e2f2c408d29eca5a520e7f2e06bb944f4dca346baf63c1b177615d466f6c4b71c216a50292bd58c9ebdd2f74e38fe51ffd48c43326cbc")));
                Assert.True(TlsaRecord.IsUsable(Of(3, 0, 0, "30820307308201efa003020102020101")));
            });
            yield return new("6698 §3", "The records of port 25 of mail.example.com stand at _25._tcp.mail.example.com", () => Assert.Equal("_25._tcp.mail.example.com", DaneLookup.NameOf("mail.example.com", 25)));
            for (var i = 1; i < AppendixC.Length; i++)
            {
                var (fields, data) = (AppendixC[i].Split(' ')[0], AppendixC[i].Split(' ')[1]);
                var (selector, matching) = ((byte)(fields[0] - '0'), (byte)(fields[1] - '0'));
                yield return new("6698 Appendix C", $"The association with selector {selector} and matching type {matching} is for the certificate of the example", () =>
                {
                    using var shown = X509CertificateLoader.LoadCertificate(Convert.FromHexString(AppendixC[0]));
                    Assert.True(new TlsaRecord(TlsaUsage.EndEntity, (TlsaSelector)selector, (TlsaMatching)matching, [.. Convert.FromHexString(data)]).Matches(shown));
                    Assert.False(new TlsaRecord(TlsaUsage.EndEntity, (TlsaSelector)(1 - selector), (TlsaMatching)matching, [.. Convert.FromHexString(data)]).Matches(shown));
                });
            }

            yield return new("7671 §2.1", "The example 2 0 1 of mail.example.com can be used", () =>
                Assert.True(TlsaRecord.IsUsable(Of(2, 0, 1, "e8b54e0b4baa815b06d3462d65fbc7c0cf556ecccf9f5303ebfbb77d022f834c0"[..64]))));
            yield return new("7671 §9", "The example with 3 1 1, 3 1 2 and 3 1 0: the key of 3 1 2 and the one of 3 1 0 are accepted, one that only 3 1 1 has is not", () =>
            {
                var usable = TlsaRecord.Usable([Of(3, 1, 1, new string('1', 64)), Of(3, 1, 2, new string('2', 128)), Of(3, 1, 0, "30")]);
                Assert.Equal(["3 1 2", "3 1 0"], usable.Select(static r => r.ToString()[..5]));
            });
            yield return new("7671 §9", "Digests are compared within one usage and selector only", () =>
                Assert.Equal(2, TlsaRecord.Usable([Of(3, 1, 2, new string('2', 128)), Of(3, 0, 1, new string('1', 64))]).Length));
            yield return new("7671 §9", "A stronger digest that is malformed does not push out a weaker one", () =>
                Assert.Equal("3 1 1", Assert.Single(TlsaRecord.Usable([Of(3, 1, 1, new string('1', 64)), Of(3, 1, 2, "22")])).ToString()[..5]));
            yield return new("7671 §10.1.1", "An answer that is cut over UDP is asked for again over TCP", async () =>
            {
                await using var dns = new ScriptedDns(static (_, _) => ScriptedDns.Tlsa((3, 1, 1, new byte[32])) with { TruncateUdp = true });
                var client = new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromSeconds(20), TimeProvider.System);
                Assert.Single((await client.QueryAsync("_25._tcp.mx.example.com", DnsType.Tlsa, default)).Records);
                Assert.Contains(dns.Questions, static q => q.IsTcp);
            });
        }
    }

    private static IEnumerable<(byte, byte, byte, bool, string)> Combinations()
    {
        string[] usages = ["PKIX-TA(0)", "PKIX-EE(1)", "DANE-TA(2)", "DANE-EE(3)", "usage 4"];
        string[] selectors = ["Cert(0)", "SPKI(1)", "selector 2"];
        string[] matchings = ["Full(0)", "SHA2-256(1)", "SHA2-512(2)", "matching type 3"];
        for (byte usage = 0; usage < 5; usage++)
        {
            for (byte selector = 0; selector < 3; selector++)
            {
                for (byte matching = 0; matching < 4; matching++)
                {
                    var isUsable = usage is 2 or 3 && selector < 2 && matching < 3;
                    yield return (usage, selector, matching, isUsable, $"{usages[usage]} {selectors[selector]} {matchings[matching]} {(isUsable ? "can" : "cannot")} be used");
                }
            }
        }

        yield return (255, 255, 255, false, "PrivCert(255) PrivSel(255) PrivMatch(255) cannot be used");
    }

    private static DnsRecord.Tlsa Of(byte usage, byte selector, byte matching, string data) => new("x", TimeSpan.Zero, usage, selector, matching, [.. Convert.FromHexString(data)]);

    private static DnsRecord.Tlsa? Read(byte[] data)
    {
        var question = new byte[512];
        var length = DnsMessage.WriteQuestion(question, 7, "_25._tcp.x", DnsType.Tlsa);
        var reply = ScriptedDns.Encode(question.AsSpan(0, length), new DnsReply(0, [("", DnsType.Tlsa, data)]));
        return DnsMessage.TryRead(reply, BinaryPrimitives.ReadUInt16BigEndian(reply), "_25._tcp.x", DnsType.Tlsa)?.Records.OfType<DnsRecord.Tlsa>().FirstOrDefault();
    }
}
