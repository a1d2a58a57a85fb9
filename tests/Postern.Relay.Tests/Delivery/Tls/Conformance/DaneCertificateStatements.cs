using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>Which certificates TLSA records prove, by handshakes with certificates made here (RFC 7672 §3, §4; RFC 7671 §5, §8, §9; RFC 6698 A.4).</summary>
internal static class DaneCertificateStatements
{
    private const string Host = "mx.there.test";

    private static readonly DeliveryTls Mandatory = TlsRig.Policy(TlsLevel.Dane);
    private static readonly DeliveryTls Opportunistic = TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic);

    /// <summary>Not self-signed, as the servers of these tests send no certificate that is.</summary>
    private static readonly TestAuthority Root = TestAuthority.Create("top").CreateIntermediate("root");
    private static readonly TestAuthority Below = Root.CreateIntermediate("below");
    private static readonly X509Certificate2 Leaf = Below.IssueServer([Host]);
    private static readonly X509Certificate2 Other = TestCertificate.Create(Host);

    public static IEnumerable<Statement> All => [.. Combinations(), .. EndEntities, .. Anchors, .. Names, .. Rollover];

    /// <summary>Every usage with every selector and matching type, against a server whose certificate the record is for, and one whose it is not.</summary>
    private static IEnumerable<Statement> Combinations()
    {
        string[] usages = ["PKIX-TA(0)", "PKIX-EE(1)", "DANE-TA(2)", "DANE-EE(3)"];
        string[] selectors = ["Cert(0)", "SPKI(1)"];
        string[] matchings = ["Full(0)", "SHA2-256(1)", "SHA2-512(2)"];
        for (byte usage = 0; usage < 4; usage++)
        {
            for (byte selector = 0; selector < 2; selector++)
            {
                for (byte matching = 0; matching < 3; matching++)
                {
                    var (u, s, m) = (usage, selector, matching);
                    var name = $"{usages[u]} {selectors[s]} {matchings[m]}";
                    var subject = u is 0 or 2 ? Root.Certificate : Leaf;
                    if (u < 2)
                    {
                        yield return new("7672 §3.1.3", $"{name}: cannot be used, so TLS is owed and nothing is proven", async () =>
                        {
                            Assert.Equal((DeliveryOutcome.Delivered, "unverified", "tlsa-invalid"), await DeliverAsync([Record(u, s, m, subject)], tls: Opportunistic) is var d ? (d.Outcome, d.TlsTrust, d.TlsFault) : default);
                            Assert.Equal(DeliveryOutcome.Deferred, (await DeliverAsync([Record(u, s, m, subject)])).Outcome);
                        });
                        continue;
                    }

                    yield return new(u == 3 ? "7672 §3.1.1" : "7672 §3.1.2", $"{name}: proves the server whose {(u == 3 ? "certificate" : "issuer")} it is for, and no other", async () =>
                    {
                        Assert.Equal((DeliveryOutcome.Delivered, "verified"), await DeliverAsync([Record(u, s, m, subject)]) is var d ? (d.Outcome, d.TlsTrust) : default);
                        // An issuer that the record holds whole is known, and has not issued it.
                        Assert.Equal((DeliveryOutcome.Deferred, (u, s, m) is (2, 0, 0) ? "certificate-not-trusted" : "validation-failure"), await DeliverAsync([Record(u, s, m, Other)]) is var no ? (no.Outcome, no.TlsFault) : default);
                    });
                }
            }
        }
    }

    private static IEnumerable<Statement> EndEntities =>
    [
        new("7672 §3.1.1", "DANE-EE: a certificate that has expired is as good as any", async () =>
        {
            using var expired = Below.IssueServer([Host], validFor: TimeSpan.FromHours(1));
            await ProvesAsync([Record(3, 1, 1, expired)], expired);
        }),
        new("7672 §3.1.1", "DANE-EE: a certificate of another key usage, self-signed, without any name is as good as any", async () =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var bare = TestCertificate.Create(new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256));
            await ProvesAsync([Record(3, 1, 1, bare)], bare);
        }),
        new("7672 §3.2.1", "DANE-EE: names are not looked at", async () =>
        {
            using var named = TestCertificate.Create("somebody.example");
            await ProvesAsync([Record(3, 0, 2, named)], named);
        }),
        new("7671 §5.1", "DANE-EE SPKI: a certificate that is renewed with the same key needs no new record", async () =>
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var first = TestCertificate.Create(new CertificateRequest("CN=first", key, HashAlgorithmName.SHA256));
            using var second = TestCertificate.Create(new CertificateRequest("CN=second", key, HashAlgorithmName.SHA256));
            await ProvesAsync([Record(3, 1, 1, first)], second);
            await RefusesAsync([Record(3, 0, 1, first)], second);
        }),
        new("7671 §5.1", "DANE-EE with an RSA key", async () =>
        {
            using var key = RSA.Create(2048);
            using var rsa = TestCertificate.Create(new CertificateRequest("CN=rsa", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            await ProvesAsync([Record(3, 1, 1, rsa)], rsa);
        }),
        new("7672 §3.2", "A DANE-EE record does not make an issuer of the certificate that it is for", async () =>
        {
            using var issued = Root.IssueServer([Host]);
            await RefusesAsync([Record(3, 0, 1, Root.Certificate)], issued, Root.Certificate);
        }),
        new("7672 §3.2", "A DANE-TA record is not for the server's own certificate, where that has an issuer", () => RefusesAsync([Record(2, 0, 1, Leaf)], Leaf, Below.Certificate)),
        new("7672 §3.2", "Of several records one that fits is enough, whatever usages the others have", async () =>
        {
            await ProvesAsync([Record(3, 1, 1, Other), Record(2, 0, 1, Other), Record(1, 1, 1, Leaf), Record(3, 1, 1, Leaf)], Leaf);
            await ProvesAsync([Record(3, 1, 1, Other), Record(2, 0, 1, Root.Certificate)], Leaf, Below.Certificate, Root.Certificate);
        }),
    ];

    private static IEnumerable<Statement> Anchors =>
    [
        new("7672 §3.1.2", "DANE-TA: the anchor may be an issuer between the server and the root, and what is above it is not needed", () => ProvesAsync([Record(2, 0, 1, Below.Certificate)], Leaf, Below.Certificate)),
        new("7672 §3.1.2", "DANE-TA: an anchor that the server does not send proves nothing, as a digest is no certificate", () => RefusesAsync([Record(2, 0, 1, Root.Certificate)], Leaf, Below.Certificate)),
        new("7671 §5.2.2", "DANE-TA Cert Full: an anchor that the record holds whole need not be sent", () => ProvesAsync([Record(2, 0, 0, Root.Certificate)], Leaf, Below.Certificate)),
        new("7671 §5.2.3", "DANE-TA SPKI: the anchor with that key must be sent, and is found by its key", async () =>
        {
            await ProvesAsync([Record(2, 1, 1, Root.Certificate)], Leaf, Below.Certificate, Root.Certificate);
            await RefusesAsync([Record(2, 1, 0, Root.Certificate)], Leaf, Below.Certificate);
        }),
        new("7672 §3.1.2", "DANE-TA: an anchor that is sent and has issued nothing of the chain proves nothing", async () =>
        {
            using var stranger = TestAuthority.Create("above").CreateIntermediate("stranger");
            using var shown = stranger.IssueServer([Host]);
            await RefusesAsync([Record(2, 0, 1, Root.Certificate)], shown, stranger.Certificate, Root.Certificate);
        }),
        new("7672 §3.1.2", "DANE-TA: a twin of the anchor with the same name and another key proves nothing", async () =>
        {
            using var twin = TestAuthority.Create("top").CreateIntermediate("root");
            using var forged = twin.IssueServer([Host]);
            await RefusesAsync([Record(2, 0, 1, Root.Certificate)], forged, twin.Certificate, Root.Certificate);
        }),
        new("7672 §3.1.2", "DANE-TA: a certificate that has expired is refused, and so is one below an issuer that has", async () =>
        {
            using var expired = Root.IssueServer([Host], validFor: TimeSpan.FromHours(1));
            Assert.Equal("certificate-expired", (await RefusesAsync([Record(2, 0, 1, Root.Certificate)], expired, Root.Certificate)).TlsFault);
        }),
        new("7672 §3.1.2", "DANE-TA: how long a way the anchor allows counts", async () =>
        {
            using var narrow = Issue(Root.Certificate, "CN=narrow", static request => request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true)));
            using var between = Issue(narrow, "CN=between", static request => request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true)));
            using var direct = Issue(narrow, "CN=direct", Named(Host));
            using var distant = Issue(between, "CN=distant", Named(Host));
            await ProvesAsync([Record(2, 0, 1, narrow)], direct, narrow);
            await RefusesAsync([Record(2, 0, 1, narrow)], distant, between, narrow);
        }),
        new("7672 §3.1.2", "DANE-TA: a certificate that may not issue is no issuer", async () =>
        {
            using var server = Root.IssueServer(["ca.example"]);
            using var below = Issue(server, "CN=below", Named(Host));
            await RefusesAsync([Record(2, 0, 1, Root.Certificate)], below, server, Root.Certificate);
        }),
        new("7671 §5.2.2", "DANE-TA: the anchor may be an authority that nobody else trusts", () => ProvesAsync([Record(2, 0, 1, Root.Certificate)], Leaf, Below.Certificate, Root.Certificate)),
        new("7672 §3.1.2", "DANE-TA: a root that the record holds whole is an anchor for what is sent below it", async () =>
        {
            using var root = TestAuthority.Create("self-signed");
            using var below = root.CreateIntermediate("between");
            using var shown = below.IssueServer([Host]);
            await ProvesAsync([Record(2, 0, 0, root.Certificate)], shown, below.Certificate);
        }),
    ];

    private static IEnumerable<Statement> Names =>
    [
        .. new[] { ("mx10.example.com", true), ("exchange.example.org", true), ("example.com", true), ("*.example.com", true), ("mail.example.org", false), ("mx15.example.com", false), ("*.example.org", true), ("*.mx10.example.com", false) }
            .Select(static row => new Statement("7672 §3.2.2", $"The example, by way of mx10.example.com: a certificate for {row.Item1} is {(row.Item2 ? "accepted" : "refused")}", () => ExampleAsync("mx10.example.com", row.Item1, row.Item2))),
        .. new[] { ("mx15.example.com", "mx15.example.com", true), ("mx15.example.com", "mxbackup.example.com", false), ("mx20.example.com", "mxbackup.example.net", true), ("mx20.example.com", "mx20.example.com", false) }
            .Select(static row => new Statement("7672 §3.2.2", $"The example, by way of {row.Item1}: a certificate for {row.Item2} is {(row.Item3 ? "accepted" : "refused")}", () => ExampleAsync(row.Item1, row.Item2, row.Item3))),
        new("7672 §3.2.2", "Where the MX records are insecure, the exchanger's name is the only one", async () =>
        {
            using var forDomain = Root.IssueServer(["there.test"]);
            using var forHost = Root.IssueServer(["mx.signed.test"]);
            Func<int, Zones> zones = static port =>
            {
                var made = new Zones().Mx("there.test", 10, "mx.signed.test").A("mx.signed.test", "127.0.0.1").Tlsa($"_{port}._tcp.mx.signed.test", 2, 0, 1, SHA256.HashData(Root.Certificate.RawData));
                made.Unsigned.Add("there.test");
                return made;
            };
            Assert.Equal("certificate-host-mismatch", (await ToAsync(zones, forDomain, Opportunistic)).TlsFault);
            Assert.Equal((DeliveryOutcome.Delivered, "host_only"), await ToAsync(zones, forHost, Opportunistic) is var d ? (d.Outcome, d.TlsTrust) : default);
        }),
        new("7672 §3.2.2", "A domain without MX records that is an alias: the name at its end, and the domain", async () =>
        {
            Func<int, Zones> zones = static port => new Zones().Cname("there.test", "end.test").A("end.test", "127.0.0.1").Tlsa($"_{port}._tcp.end.test", 2, 0, 1, SHA256.HashData(Root.Certificate.RawData));
            foreach (var (name, expected) in new[] { ("end.test", DeliveryOutcome.Delivered), ("there.test", DeliveryOutcome.Delivered), ("other.test", DeliveryOutcome.Deferred) })
            {
                using var shown = Root.IssueServer([name]);
                Assert.Equal(expected, (await ToAsync(zones, shown, Mandatory)).Outcome);
            }
        }),
        .. new[] { ("*.there.test", true), ("m*.there.test", false), ("*x.there.test", false), ("*.mx.there.test", false), ("*", false), ("mx.*.test", false), ("MX.There.TEST", true) }
            .Select(static row => new Statement("7672 §3.2.3", $"The name {row.Item1.Replace("*", "\\*", StringComparison.Ordinal)} {(row.Item2 ? "is" : "is not")} for mx.there.test", async () =>
            {
                using var shown = Root.IssueServer([row.Item1]);
                var delivery = await DeliverAsync([Record(2, 0, 1, Root.Certificate)], shown, [Root.Certificate]);
                Assert.Equal((row.Item2 ? DeliveryOutcome.Delivered : DeliveryOutcome.Deferred, row.Item2 ? null : "certificate-host-mismatch"), (delivery.Outcome, delivery.TlsFault));
            })),
        new("7672 §3.2.3", "The common name counts where there is no DNS name", async () =>
        {
            using var shown = Issue(Root.Certificate, $"CN={Host}", static _ => { });
            await ProvesAsync([Record(2, 0, 1, Root.Certificate)], shown, Root.Certificate);
        }),
        new("7672 §3.2.3", "The common name does not count beside a DNS name", async () =>
        {
            using var shown = Issue(Root.Certificate, $"CN={Host}", Named("other.test"));
            await RefusesAsync([Record(2, 0, 1, Root.Certificate)], shown, Root.Certificate);
        }),
        new("7671 §10.2", "The example of mail.example.com with 2 0 1: a certificate for the host or for the domain of the mail", async () =>
        {
            foreach (var name in new[] { Host, "there.test" })
            {
                using var shown = Root.IssueServer([name]);
                await ProvesAsync([Record(2, 0, 1, Root.Certificate)], shown, Root.Certificate);
            }
        }),
    ];

    private static IEnumerable<Statement> Rollover =>
    [
        new("7672 §4", "Before, while and after a key is exchanged the server is proven; the key that was retired is not any more", async () =>
        {
            using var old = TestCertificate.Create(Host);
            using var next = TestCertificate.Create(Host);
            await ProvesAsync([Record(3, 1, 1, old), Record(3, 1, 1, next)], old);
            await ProvesAsync([Record(3, 1, 1, old), Record(3, 1, 1, next)], next);
            await ProvesAsync([Record(3, 1, 1, next)], next);
            await RefusesAsync([Record(3, 1, 1, next)], old);
        }),
        new("7672 §4", "The same with an anchor: certificates of the old one and of the new one, while both have records", async () =>
        {
            using var next = TestAuthority.Create("above").CreateIntermediate("next");
            using var old = Root.IssueServer([Host]);
            using var renewed = next.IssueServer([Host]);
            var both = new[] { Record(2, 0, 1, Root.Certificate), Record(2, 0, 1, next.Certificate) };
            await ProvesAsync(both, old, Root.Certificate);
            await ProvesAsync(both, renewed, next.Certificate);
            await RefusesAsync([both[1]], old, Root.Certificate);
        }),
        new("6698 A.4", "The example of a rollover: both records while caches hold the old one, then the new one alone", async () =>
        {
            using var old = TestCertificate.Create(Host);
            using var next = TestCertificate.Create(Host);
            await ProvesAsync([Record(3, 1, 1, old)], old);
            await ProvesAsync([Record(3, 1, 1, old), Record(3, 1, 1, next)], old);
            await ProvesAsync([Record(3, 1, 1, next)], next);
        }),
        new("7671 §8.1", "The example of a rollover with fixed parameters", async () =>
        {
            using var old = TestCertificate.Create(Host);
            using var next = TestCertificate.Create(Host);
            await ProvesAsync([Record(3, 1, 1, old), Record(3, 1, 1, next)], next);
        }),
        new("7671 §8.2", "The example of a change from DANE-EE to DANE-TA: while both are published, the old key and a certificate of the anchor", async () =>
        {
            using var old = TestCertificate.Create(Host);
            await ProvesAsync([Record(3, 1, 1, old), Record(2, 0, 1, Root.Certificate)], old);
            await ProvesAsync([Record(3, 1, 1, old), Record(2, 0, 1, Root.Certificate)], Leaf, Below.Certificate, Root.Certificate);
        }),
        new("7671 §8.3", "The example of a change of the digest: with each key under both digests, each key is proven", async () =>
        {
            using var old = TestCertificate.Create(Host);
            using var next = TestCertificate.Create(Host);
            TlsaData[] all = [Record(3, 1, 1, old), Record(3, 1, 1, next), Record(3, 1, 2, old), Record(3, 1, 2, next)];
            await ProvesAsync(all, old);
            await ProvesAsync(all, next);
        }),
        new("7671 §9", "Digest agility: a key that only a weaker digest lists is refused", async () =>
        {
            using var old = TestCertificate.Create(Host);
            using var next = TestCertificate.Create(Host);
            await RefusesAsync([Record(3, 1, 1, old), Record(3, 1, 2, next)], old);
            await ProvesAsync([Record(3, 1, 1, old), Record(3, 1, 2, next)], next);
        }),
        new("7672 §5", "Digest agility counts for anchors too, and beside whole certificates", async () =>
        {
            await RefusesAsync([Record(2, 0, 1, Root.Certificate), Record(2, 0, 2, Other)], Leaf, Below.Certificate, Root.Certificate);
            await ProvesAsync([Record(2, 0, 0, Root.Certificate), Record(2, 0, 2, Other)], Leaf, Below.Certificate, Root.Certificate);
        }),
    ];

    private sealed record TlsaData(byte Usage, byte Selector, byte Matching, byte[] Data);

    private static TlsaData Record(byte usage, byte selector, byte matching, X509Certificate2 certificate)
    {
        var selected = selector == 1 ? certificate.PublicKey.ExportSubjectPublicKeyInfo() : certificate.RawData;
        return new(usage, selector, matching, matching switch { 1 => SHA256.HashData(selected), 2 => SHA512.HashData(selected), _ => selected });
    }

    private static Action<CertificateRequest> Named(string name) => request =>
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
    };

    private static X509Certificate2 Issue(X509Certificate2 issuer, string subject, Action<CertificateRequest> extend)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        extend(request);
        using var issued = request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer.GetECDsaPrivateKey()!), issuer.NotBefore, issuer.NotAfter, RandomNumberGenerator.GetBytes(8));
        using var joined = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), password: null);
    }

    private static async Task ProvesAsync(TlsaData[] records, X509Certificate2 shown, params X509Certificate2[] sent)
    {
        var delivery = await DeliverAsync(records, shown, sent);
        Assert.Equal((DeliveryOutcome.Delivered, "dane", "verified", null), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsTrust, delivery.TlsFault));
    }

    private static async Task<DeliveryEvent> RefusesAsync(TlsaData[] records, X509Certificate2 shown, params X509Certificate2[] sent)
    {
        var delivery = await DeliverAsync(records, shown, sent);
        Assert.Equal((DeliveryOutcome.Deferred, "dane"), (delivery.Outcome, delivery.TlsPolicy));
        return delivery;
    }

    /// <summary>To mx.there.test, which has these records and shows this certificate: that of the example with its issuers where none is given.</summary>
    private static Task<DeliveryEvent> DeliverAsync(TlsaData[] records, X509Certificate2? shown = null, X509Certificate2[]? sent = null, DeliveryTls? tls = null) =>
        ToAsync(
            port =>
            {
                var zones = TlsRig.Zones();
                foreach (var record in records)
                    zones.Tlsa($"_{port}._tcp.{Host}", record.Usage, record.Selector, record.Matching, record.Data);
                return zones;
            },
            shown ?? Leaf,
            tls ?? Mandatory,
            shown is null ? [Below.Certificate, Root.Certificate] : sent);

    private static async Task<DeliveryEvent> ToAsync(Func<int, Zones> zones, X509Certificate2 shown, DeliveryTls tls, X509Certificate2[]? sent = null, string to = TlsRig.To)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = shown, Chain = [.. sent ?? [Root.Certificate]] });
        await using var dns = zones(sink.Port).Serve();
        await using var rig = new DeliveryRig(TlsRig.Options(dns, sink.Port, tls));
        rig.Scheduler.Start();
        await rig.AddAsync(to);
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal(delivery.Outcome == DeliveryOutcome.Delivered ? 1 : 0, sink.Messages.Count);
        return delivery;
    }

    /// <summary>Mail for exchange.example.org by way of one of its exchangers, in the zones of RFC 7672 §3.2.2.</summary>
    private static async Task ExampleAsync(string exchanger, string name, bool isAccepted)
    {
        using var shown = Root.IssueServer([name]);
        var delivery = await ToAsync(
            port =>
            {
                var zones = DaneLookupStatements.Exchange().Without("example.com", DnsType.Mx).Mx("example.com", 10, exchanger);
                foreach (var host in new[] { "mx10.example.com", "mxbackup.example.com", "mxbackup.example.net" })
                    zones.Without(host, DnsType.A).A(host, "127.0.0.1");
                foreach (var basis in new[] { "mx10.example.com", "mx15.example.com", "mxbackup.example.net" })
                    zones.Tlsa($"_{port}._tcp.{basis}", 2, 0, 1, SHA256.HashData(Root.Certificate.RawData));
                return zones;
            },
            shown,
            Mandatory,
            to: "b@exchange.example.org");
        Assert.Equal((isAccepted ? DeliveryOutcome.Delivered : DeliveryOutcome.Deferred, isAccepted ? null : "certificate-host-mismatch"), (delivery.Outcome, delivery.TlsFault));
    }
}
