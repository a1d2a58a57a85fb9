using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>Which TLSA records a host has, and what each answer of DNS means (RFC 7672 §2; RFC 7671 §6, §7; RFC 6698 §4, A.2).</summary>
internal static class DaneLookupStatements
{
    private static readonly byte[] Digest = new byte[32];
    private static readonly DeliveryTls Opportunistic = TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic);
    private static readonly DeliveryTls Mandatory = TlsRig.Policy(TlsLevel.Dane);

    public static IEnumerable<Statement> All => [.. States, .. Aliases, .. Exchangers, .. Examples];

    private static IEnumerable<Statement> States =>
    [
        new("6698 §4", "Secure records are used", () => IsAsync("1 at mx.example.com", Host())),
        new("6698 §4", "Insecure records are not used", () => IsAsync("none", Unsigned(new Zones().A("mx.example.com", "192.0.2.1").Cname("_25._tcp.mx.example.com", "t.example.net").Tlsa("t.example.net", 3, 1, 1, Digest), "example.net"))),
        new("6698 §4", "Bogus and indeterminate answers, which a resolver fails to give, keep the host from being connected to", () => IsAsync("failed", Broken(Host(), "_25._tcp.mx.example.com"))),
        new("6698 §4.1", "Records of which none can be used are no reason to do without TLS", () => IsAsync("unusable at mx.example.com", new Zones().A("mx.example.com", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 0, 0, 1, Digest))),
        new("7672 §2.1.1", "An insecure answer is no error: mail goes as it did before DANE", () => DeliversAsync("opportunistic", sink => Unsigned(Listing(sink), "test"))),
        new("7672 §2.1.1", "That a domain has no such records is no error, proven or not", async () =>
        {
            await DeliversAsync("opportunistic", static _ => TlsRig.Zones());
            await DeliversAsync("opportunistic", static _ => Unsigned(TlsRig.Zones(), "test"));
        }),
        new("7672 §2.1.1", "A resolver that is not on this machine and not named as one that validates proves nothing, whatever bit it sets", () =>
        {
            var elsewhere = new System.Net.IPEndPoint(System.Net.IPAddress.Parse("192.0.2.53"), 53);
            Assert.False(new ResolverList([elsewhere], isValidating: false, ResolvConf.Path, TimeProvider.System).Believes(elsewhere));
            Assert.True(new ResolverList([elsewhere], isValidating: true, ResolvConf.Path, TimeProvider.System).Believes(elsewhere));
        }),
        new("7672 §2.1.2", "MX records that cannot be looked up delay the mail", () => DefersAsync("dns", static _ => Broken(TlsRig.Zones(), "there.test Mx"), connections: 0)),
        new("7672 §2.1.2", "An exchanger whose addresses cannot be looked up is passed over for the others", () => GoesToSecondAsync(static z => z.Broken.Add("mx.there.test"))),
        new("7672 §2.1.2", "An exchanger whose TLSA records cannot be looked up is passed over for the others", () => GoesToSecondAsync(static z => z.Broken.Add("mx.there.test Tlsa"), tlsa: true)),
        new("7672 §2.1.2", "Without any other exchanger the mail is delayed, and nobody is connected to", () => DefersAsync("dns", sink => Broken(Listing(sink), $"_{sink.Port}._tcp.mx.there.test"), connections: 0)),
        .. Failures(),
        new("7672 §2.2", "Secure usable records: TLS, and a server that they authenticate", () => DeliversAsync("dane", Listing, trust: "verified")),
        new("7672 §2.2", "Secure usable records: a server that they do not authenticate gets no mail", () => DefersAsync("tls", static sink => Listing(sink, TestCertificate.Create("other")), fault: "validation-failure")),
        new("7672 §2.2", "Secure usable records: a server without STARTTLS gets no mail", () => DefersAsync(null, static sink => Listing(sink, TestCertificate.Create("other")), hasTls: false, fault: "starttls-not-supported")),
        new("7672 §2.2", "Secure unusable records: TLS, without authentication", () => DeliversAsync("dane", static sink => TlsRig.Zones().Tlsa($"_{sink.Port}._tcp.mx.there.test", 1, 1, 1, Digest), trust: "unverified")),
        new("7672 §2.2", "Secure unusable records: a server without STARTTLS gets no mail", () => DefersAsync(null, static sink => TlsRig.Zones().Tlsa($"_{sink.Port}._tcp.mx.there.test", 1, 1, 1, Digest), hasTls: false, fault: "starttls-not-supported")),
        new("7672 §2.2", "Insecure or absent records: opportunistic TLS, in clear where the server has none", () => DeliversAsync("opportunistic", static _ => TlsRig.Zones(), hasTls: false)),
        new("7672 §2.2", "Insecure or absent records: a handshake that fails is followed by clear text", async () =>
        {
            await using var sink = new ScriptedSink(new SinkOptions { Certificate = TestCertificate.Create("x"), Script = static (phase, _, _) => phase == SinkPhase.Handshake ? new SinkAction.Close() : null });
            Assert.Equal((DeliveryOutcome.Delivered, null), await TlsRig.DeliverAsync(TlsRig.Zones(), sink, Opportunistic) is var d ? (d.Outcome, d.Tls) : default);
        }),
        new("7672 §2.2", "DANE does not apply to an address literal", async () =>
        {
            await using var sink = Sink();
            await using var dns = new Zones().Serve();
            await using var rig = new DeliveryRig(TlsRig.Options(dns, sink.Port, Opportunistic));
            rig.Scheduler.Start();
            await rig.AddAsync("b@[127.0.0.1]");
            Assert.Equal((DeliveryOutcome.Delivered, "opportunistic"), await rig.Audit.NextAsync<DeliveryEvent>() is var d ? (d.Outcome, d.TlsPolicy) : default);
            Assert.DoesNotContain(dns.Questions, static q => q.Type == DnsType.Tlsa);
        }),
        new("7672 §2.2", "An address in the place of an exchanger's name is not connected to", async () =>
        {
            await using var sink = Sink();
            Assert.Equal((DeliveryOutcome.Failed, "5.4.4"), await TlsRig.DeliverAsync(new Zones().Mx("there.test", 10, "127.0.0.1"), sink, Opportunistic) is var d ? (d.Outcome, d.Status) : default);
            Assert.Equal(0, sink.Connections);
        }),
        new("7672 §6", "Mandatory DANE delays mail where nothing usable is proven", async () =>
        {
            await DefersAsync("dns", static _ => TlsRig.Zones(), Mandatory, fault: "dane-required", connections: 0);
            await DefersAsync("dns", static sink => TlsRig.Zones().Tlsa($"_{sink.Port}._tcp.mx.there.test", 1, 1, 1, Digest), Mandatory, fault: "tlsa-invalid", connections: 0);
            await DeliversAsync("dane", Listing, Mandatory, trust: "verified");
        }),
        new("7672 §9.1", "DANE can be switched off, or held to something else, for single destinations", async () =>
        {
            var tls = DeliveryTls.Create(new TlsRule("*", TlsLevel.Dane) { Otherwise = TlsOtherwise.Opportunistic }, [new TlsRule("there.test", TlsLevel.Opportunistic)]).Tls!;
            await DeliversAsync("opportunistic", static sink => Listing(sink, TestCertificate.Create("other")), tls);
        }),
    ];

    private static IEnumerable<Statement> Aliases =>
    [
        new("7672 §2.1.3", "From the first insecure alias on everything is insecure", () => IsAsync("none", Unsigned(new Zones().Cname("mx.example.com", "a.example.net").Cname("a.example.net", "b.example.org").A("b.example.org", "192.0.2.1").Tlsa("_25._tcp.b.example.org", 3, 1, 1, Digest), "example.net", "example.com"))),
        new("7672 §2.1.3", "An alias whose target is not in the same answer is asked about at the target", async () =>
        {
            await using var dns = new ScriptedDns(static (name, type) => (name, type) switch
            {
                ("mx.example.com", DnsType.A) => new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name("a.example.com"))]) { IsAuthentic = true },
                ("a.example.com", DnsType.A) => new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name("b.example.com"))]) { IsAuthentic = true },
                ("b.example.com", DnsType.A) => ScriptedDns.A("192.0.2.1") with { IsAuthentic = true },
                ("_25._tcp.b.example.com", DnsType.Tlsa) => ScriptedDns.Tlsa((3, 1, 1, new byte[32])) with { IsAuthentic = true },
                _ => ScriptedDns.Nothing with { IsAuthentic = true },
            });
            Assert.Equal("1 at b.example.com", await FindAsync(dns, "mx.example.com"));
        }),
        new("7672 §2.1.3", "Such a look-up is as weak as its weakest answer, and ends where aliases run in a circle", async () =>
        {
            await using var weak = new ScriptedDns(static (name, type) => (name, type) switch
            {
                ("mx.example.com", DnsType.Cname) or ("mx.example.com", DnsType.A) or ("mx.example.com", DnsType.Aaaa) => new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name("a.example.com"))]),
                ("a.example.com", DnsType.A) => ScriptedDns.A("192.0.2.1") with { IsAuthentic = true },
                (_, DnsType.Tlsa) => ScriptedDns.Tlsa((3, 1, 1, new byte[32])) with { IsAuthentic = true },
                _ => ScriptedDns.Nothing with { IsAuthentic = true },
            });
            Assert.Equal("none", await FindAsync(weak, "mx.example.com"));
            await using var circle = new ScriptedDns(static (name, _) => new DnsReply(0, [("", DnsType.Cname, ScriptedDns.Name(name.StartsWith("mx", StringComparison.Ordinal) ? "a.example.com" : "mx.example.com"))]) { IsAuthentic = true });
            Assert.Equal("none", await FindAsync(circle, "mx.example.com"));
        }),
        new("7672 §2.1.3", "Whether an alias that leads to insecure addresses is secure itself is asked by a question for the alias alone", async () =>
        {
            await using var dns = Unsigned(new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest), "example.net").Serve();
            Assert.Equal("1 at mx.example.com", await FindAsync(dns, "mx.example.com"));
            Assert.Contains(dns.Questions, static q => q is { Name: "mx.example.com", Type: DnsType.Cname });
        }),
        new("7672 §2.2.2", "Addresses are asked for before TLSA records", async () =>
        {
            await using var dns = Host().Serve();
            await FindAsync(dns, "mx.example.com");
            Assert.Equal([DnsType.A, DnsType.Aaaa, DnsType.Tlsa], dns.Questions.Select(static q => q.Type));
        }),
        new("7672 §2.2.2", "Where the addresses are insecure, no TLSA records are asked for", async () =>
        {
            await using var dns = Unsigned(Host(), "example.com").Serve();
            Assert.Equal("none", await FindAsync(dns, "mx.example.com"));
            Assert.DoesNotContain(dns.Questions, static q => q.Type == DnsType.Tlsa);
        }),
        new("7672 §2.2.2", "A host without addresses is unreachable", () => DefersOrFailsAsync(static _ => new Zones().Mx("there.test", 10, "mx.there.test"))),
        new("7672 §2.2.2", "No alias: the name itself is the base domain", () => IsAsync("1 at mx.example.com", Host())),
        new("7672 §2.2.2", "Insecure alias: DANE does not apply, even where its end is signed", () => IsAsync("none", Unsigned(new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.a.example.net", 3, 1, 1, Digest).Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest), "example.com"))),
        new("7672 §2.2.2", "Secure alias that leads to insecure addresses: the name itself is the candidate, and its end is not", () => IsAsync("none", Unsigned(new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.a.example.net", 3, 1, 1, Digest), "example.net"))),
        new("7672 §2.2.2", "Secure alias with secure addresses: its end is tried first, then the name itself", async () =>
        {
            var zones = new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest);
            await IsAsync("1 at mx.example.com", zones);
            await IsAsync("1 at a.example.net", zones.Tlsa("_25._tcp.a.example.net", 3, 1, 1, Digest));
        }),
        new("7672 §2.2.3", "The port stands in the name that is asked for", async () =>
        {
            await using var dns = new Zones().A("mx.example.com", "192.0.2.1").Tlsa("_2525._tcp.mx.example.com", 3, 1, 1, Digest).Serve();
            Assert.Equal("1 at mx.example.com", await FindAsync(dns, "mx.example.com", port: 2525));
            Assert.Equal("none", await FindAsync(dns, "mx.example.com"));
        }),
        new("7672 §2.2.3", "An alias of the records leaves the host's name as base domain", () => IsAsync("1 at mx.example.com", new Zones().A("mx.example.com", "192.0.2.1").Cname("_25._tcp.mx.example.com", "t.example.com").Tlsa("t.example.com", 2, 0, 1, Digest))),
        new("7672 §2.2.3", "Names between the first and the last of a chain of aliases are never base domains", () => IsAsync("none", new Zones().Cname("mx.example.com", "b.example.com").Cname("b.example.com", "c.example.com").A("c.example.com", "192.0.2.1").Tlsa("_25._tcp.b.example.com", 3, 1, 1, Digest))),
        new("7672 §2.2.3", "Secure records of the first candidate are the ones, also where none of them can be used", () => IsAsync("unusable at a.example.net", new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.a.example.net", 1, 1, 1, Digest).Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest))),
        new("7672 §2.2.3", "A look-up of the first candidate that fails does not lead to the second", () => IsAsync("failed", Broken(new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest), "_25._tcp.a.example.net"))),
        new("7671 §7", "The fully expanded name is preferred, the name that was asked for comes next", () => IsAsync("1 at a.example.net", new Zones().Cname("mx.example.com", "a.example.net").A("a.example.net", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest).Tlsa("_25._tcp.a.example.net", 3, 1, 1, Digest))),
    ];

    private static IEnumerable<Statement> Exchangers =>
    [
        new("7672 §2.2.1", "Each exchanger has its own records and its own base domain", async () =>
        {
            using var first = TestCertificate.Create("first");
            await using var sink = Sink();
            var zones = TlsRig.Zones().Tlsa("mx.there.test", sink.Port, first).Mx("there.test", 20, "mx2.there.test").A("mx2.there.test", "127.0.0.1").Tlsa("mx2.there.test", sink.Port, sink.Options.Certificate!);
            Assert.Equal((DeliveryOutcome.Delivered, $"mx2.there.test[127.0.0.1]:{sink.Port}"), await TlsRig.DeliverAsync(zones, sink, Mandatory) is var d ? (d.Outcome, d.Remote) : default);
        }),
        new("7672 §2.2.1", "An exchanger with records does not come before a preferred one without", async () =>
        {
            await using var sink = Sink();
            var zones = TlsRig.Zones().Mx("there.test", 20, "mx2.there.test").A("mx2.there.test", "127.0.0.1").Tlsa("mx2.there.test", sink.Port, sink.Options.Certificate!);
            Assert.Equal((DeliveryOutcome.Delivered, $"mx.there.test[127.0.0.1]:{sink.Port}", "opportunistic"), await TlsRig.DeliverAsync(zones, sink, Opportunistic) is var d ? (d.Outcome, d.Remote, d.TlsPolicy) : default);
        }),
        new("7672 §2.2.1", "A domain that is an alias has the exchangers of the domain at its end", async () =>
        {
            await using var sink = Sink();
            var zones = new Zones().Cname("there.test", "end.test").Mx("end.test", 10, "mx.end.test").A("mx.end.test", "127.0.0.1").Tlsa("mx.end.test", sink.Port, sink.Options.Certificate!);
            Assert.Equal((DeliveryOutcome.Delivered, "verified"), await TlsRig.DeliverAsync(zones, sink, Mandatory) is var d ? (d.Outcome, d.TlsTrust) : default);
        }),
        new("7672 §2.2.1", "Insecure MX records, and so an insecure alias that leads to them, delay mail where DANE is mandatory", async () =>
        {
            await DefersAsync("dns", static sink => Unsigned(new Zones().Mx("there.test", 10, "mx.signed.test").A("mx.signed.test", "127.0.0.1").Tlsa("mx.signed.test", sink.Port, sink.Options.Certificate!), "there.test"), Mandatory, connections: 0);
            await DefersAsync("dns", static sink => Unsigned(new Zones().Cname("there.test", "end.test").Mx("end.test", 10, "mx.signed.test").A("mx.signed.test", "127.0.0.1").Tlsa("mx.signed.test", sink.Port, sink.Options.Certificate!), "there.test"), Mandatory, connections: 0);
        }),
        new("7672 §2.2.1", "Where it is not, the records of a provider count for domains that are not signed, and the log says that the host alone is proven", () =>
            DeliversAsync("dane", static sink => Unsigned(new Zones().Mx("there.test", 10, "mx.provider.test").A("mx.provider.test", "127.0.0.1").Tlsa("mx.provider.test", sink.Port, sink.Options.Certificate!), "there.test"), trust: "host_only")),
        new("7672 §2.2.1", "The log has the exchanger as the MX record names it, not where its aliases end", async () =>
        {
            await using var sink = Sink();
            var zones = Unsigned(new Zones().Mx("there.test", 10, "mx.alias.test").Cname("mx.alias.test", "host.provider.test").A("host.provider.test", "127.0.0.1"), "test");
            Assert.Equal($"mx.alias.test[127.0.0.1]:{sink.Port}", (await TlsRig.DeliverAsync(zones, sink, Opportunistic)).Remote);
        }),
        new("7672 §2.2.2", "A domain without MX records is its own and only host", () => DeliversAsync("dane", static sink => new Zones().A("there.test", "127.0.0.1").Tlsa("there.test", sink.Port, sink.Options.Certificate!), Mandatory, trust: "verified")),
        new("7672 §8.1", "The handshake asks for the base domain (SNI)", async () =>
        {
            await using var sink = Sink();
            await TlsRig.DeliverAsync(new Zones().Mx("there.test", 10, "mx.alias.test").Cname("mx.alias.test", "host.provider.test").A("host.provider.test", "127.0.0.1").Tlsa("host.provider.test", sink.Port, sink.Options.Certificate!), sink, Mandatory);
            Assert.Equal(["host.provider.test"], sink.AskedNames);
        }),
        new("7671 §3", "TLS 1.2 and 1.3 are spoken, and nothing older", async () =>
        {
            await using var sink = Sink();
            Assert.Matches("^TLSv1\\.[23]$", (await TlsRig.DeliverAsync(Listing(sink), sink, Mandatory)).Tls!);
        }),
        new("7671 §10.3", "Where all records are unusable, mail goes over TLS that is not authenticated, and never in clear", () => DeliversAsync("dane", static sink => TlsRig.Zones().Tlsa($"_{sink.Port}._tcp.mx.there.test", 9, 9, 9, Digest), trust: "unverified")),
    ];

    private static IEnumerable<Statement> Examples =>
    [
        new("6698 A.2.1.1", "Records in the original domain alone are found there", () => IsAsync("1 at sub5.example.com", Sub().Tlsa("_25._tcp.sub5.example.com", 3, 1, 1, Digest), "sub5.example.com")),
        new("6698 A.2.1.1", "Records of the original domain that are an alias of the target's are found, at the target (RFC 7671 §7)", () => IsAsync("1 at sub6.example.com", Sub().Cname("_25._tcp.sub5.example.com", "_25._tcp.sub6.example.com").Tlsa("_25._tcp.sub6.example.com", 3, 1, 1, Digest), "sub5.example.com")),
        new("6698 A.2.1.1", "Of records in both domains those of the target count (RFC 7671 §7)", () => IsAsync("1 at sub6.example.com", Sub().Tlsa("_25._tcp.sub5.example.com", 3, 1, 1, Digest).Tlsa("_25._tcp.sub6.example.com", 3, 1, 1, Digest), "sub5.example.com")),
        new("6698 A.2.1.2", "A DNAME that a resolver answers as an alias is followed as one", () => IsAsync("1 at sub6.example.com", Sub().Cname("_25._tcp.sub5.example.com", "_25._tcp.sub6.example.com").Tlsa("_25._tcp.sub6.example.com", 3, 1, 1, Digest), "sub5.example.com")),
        new("6698 A.2.1.3", "A wildcard below the host is the resolver's to expand: the answer has the name that was asked for", () => IsAsync("1 at www.example.com", new Zones().A("www.example.com", "192.0.2.1").Tlsa("_25._tcp.www.example.com", 3, 1, 1, Digest), "www.example.com")),
        new("7671 §5.1", "The example with an alias to tlsa._dane.example.net: each host keeps its own base domain", async () =>
        {
            var zones = new Zones().Cname("www.example.com", "ex-com.example.net").Cname("www.example.org", "ex-org.example.net").A("ex-com.example.net", "192.0.2.1").A("ex-org.example.net", "192.0.2.1")
                .Cname("_25._tcp.ex-com.example.net", "tlsa._dane.example.net").Cname("_25._tcp.ex-org.example.net", "tlsa._dane.example.net").Tlsa("tlsa._dane.example.net", 3, 1, 1, Digest);
            await IsAsync("1 at ex-com.example.net", zones, "www.example.com");
            await IsAsync("1 at ex-org.example.net", zones, "www.example.org");
        }),
        new("7671 §5.2", "The example with a shared anchor: www1 and www2 have its records, each at its own name", async () =>
        {
            var zones = new Zones().A("www1.example.com", "192.0.2.1").A("www2.example.com", "192.0.2.2").Cname("_25._tcp.www1.example.com", "tlsa._dane.example.com").Cname("_25._tcp.www2.example.com", "tlsa._dane.example.com").Tlsa("tlsa._dane.example.com", 2, 0, 1, Digest);
            await IsAsync("1 at www1.example.com", zones, "www1.example.com");
            await IsAsync("1 at www2.example.com", zones, "www2.example.com");
        }),
        new("7671 §6", "The example of hosts that are aliases with records that are aliases: those of the provider count", async () =>
        {
            var zones = new Zones().Cname("www1.example.com", "w1.example.net").Cname("_25._tcp.www1.example.com", "_25._tcp.w1.example.net").A("w1.example.net", "192.0.2.1").Tlsa("_25._tcp.w1.example.net", 3, 1, 1, Digest)
                .Cname("www2.example.com", "w2.example.net").Cname("_25._tcp.www2.example.com", "_25._tcp.w2.example.net").A("w2.example.net", "192.0.2.2").Tlsa("_25._tcp.w2.example.net", 2, 0, 1, Digest);
            await IsAsync("1 at w1.example.net", zones, "www1.example.com");
            await IsAsync("1 at w2.example.net", zones, "www2.example.com");
        }),
        new("7671 §6", "The example of a hosted domain: mx1 and mx2.example.net have their records at themselves", async () =>
        {
            var zones = new Zones().A("mx1.example.net", "192.0.2.1").A("mx2.example.net", "192.0.2.2").Tlsa("_25._tcp.mx1.example.net", 3, 1, 1, Digest).Tlsa("_25._tcp.mx2.example.net", 3, 1, 1, Digest);
            await IsAsync("1 at mx1.example.net", zones, "mx1.example.net");
            await IsAsync("1 at mx2.example.net", zones, "mx2.example.net");
        }),
        new("7672 §2.2.3", "The example with tlsa201._dane.example.com: mx1 and mx2 keep their own base domains", async () =>
        {
            var zones = new Zones().A("mx1.example.com", "192.0.2.1").A("mx2.example.com", "192.0.2.2").Cname("_25._tcp.mx1.example.com", "tlsa201._dane.example.com").Cname("_25._tcp.mx2.example.com", "tlsa201._dane.example.com").Tlsa("tlsa201._dane.example.com", 2, 0, 1, Digest);
            await IsAsync("1 at mx1.example.com", zones, "mx1.example.com");
            await IsAsync("1 at mx2.example.com", zones, "mx2.example.com");
        }),
        .. new[] { ("mx10.example.com", "mx10.example.com"), ("mx15.example.com", "mx15.example.com"), ("mx20.example.com", "mxbackup.example.net") }.Select(static row => new Statement(
            "7672 §3.2.2", $"In the example the base domain of {row.Item1} is {row.Item2}", () => IsAsync($"1 at {row.Item2}", Exchange(), row.Item1))),
    ];

    /// <summary>The zones of RFC 7672 §3.2.2.</summary>
    public static Zones Exchange() => new Zones()
        .Cname("exchange.example.org", "mail.example.org").Cname("mail.example.org", "example.com")
        .Mx("example.com", 10, "mx10.example.com").Mx("example.com", 15, "mx15.example.com").Mx("example.com", 20, "mx20.example.com")
        .A("mx10.example.com", "192.0.2.10").Tlsa("_25._tcp.mx10.example.com", 2, 0, 1, Digest)
        .Cname("mx15.example.com", "mxbackup.example.com").A("mxbackup.example.com", "192.0.2.15").Tlsa("_25._tcp.mx15.example.com", 2, 0, 1, Digest)
        .Cname("mx20.example.com", "mxbackup.example.net").A("mxbackup.example.net", "198.51.100.20").Tlsa("_25._tcp.mxbackup.example.net", 2, 0, 1, Digest);

    private static IEnumerable<Statement> Failures()
    {
        foreach (var (what, reply) in new (string, Func<string, DnsReply?>)[]
        {
            ("SERVFAIL", static _ => ScriptedDns.ServerFailure),
            ("NOTIMP", static _ => new DnsReply(4, [])),
            ("REFUSED", static _ => new DnsReply(5, [])),
            ("an answer that cannot be read", static _ => ScriptedDns.Nothing with { Octets = [1, 2, 3] }),
            ("silence", static _ => null),
        })
        {
            yield return new("7672 §2.1.2", $"A question for TLSA records that is answered by {what} is a failure, and no absence", async () =>
            {
                var zones = Host();
                await using var dns = new ScriptedDns((name, type) => type == DnsType.Tlsa ? reply(name) : zones.Answer(name, type));
                var client = new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromMilliseconds(what is "silence" or "an answer that cannot be read" ? 100 : 20_000), TimeProvider.System);
                Assert.IsType<DaneAnswer.Failed>(await new DaneLookup(new DnsCache(client, TimeProvider.System)).FindAsync("mx.example.com", 25, default));
            });
        }

        yield return new("7672 §2.1.2", "That there is no such name is a proven absence, and no failure", async () =>
        {
            var zones = Host();
            await using var dns = new ScriptedDns((name, type) => type == DnsType.Tlsa ? ScriptedDns.NoSuchName with { IsAuthentic = true } : zones.Answer(name, type));
            Assert.Equal("none", await FindAsync(dns, "mx.example.com"));
        });
    }

    private static Zones Host() => new Zones().A("mx.example.com", "192.0.2.1").Tlsa("_25._tcp.mx.example.com", 3, 1, 1, Digest);

    private static Zones Sub() => new Zones().Cname("sub5.example.com", "sub6.example.com").A("sub6.example.com", "192.0.2.1").Aaaa("sub6.example.com", "2001:db8::1");

    private static Zones Unsigned(Zones zones, params string[] ends)
    {
        zones.Unsigned.UnionWith(ends);
        return zones;
    }

    private static Zones Broken(Zones zones, string name)
    {
        zones.Broken.Add(name);
        return zones;
    }

    private static ScriptedSink Sink(bool hasTls = true) => new(new SinkOptions { Certificate = hasTls ? TestCertificate.Create("any.example") : null });

    private static Zones Listing(ScriptedSink sink) => Listing(sink, sink.Options.Certificate ?? TestCertificate.Create("any.example"));

    private static Zones Listing(ScriptedSink sink, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate) => TlsRig.Zones().Tlsa("mx.there.test", sink.Port, certificate);

    private static async Task IsAsync(string expected, Zones zones, string host = "mx.example.com")
    {
        await using var dns = zones.Serve();
        Assert.Equal(expected, await FindAsync(dns, host));
    }

    private static async Task<string> FindAsync(ScriptedDns dns, string host, int port = 25)
    {
        var client = new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromSeconds(20), TimeProvider.System);
        return await new DaneLookup(new DnsCache(client, TimeProvider.System)).FindAsync(host, port, TestContext.Current.CancellationToken) switch
        {
            DaneAnswer.Records(var basis, { IsEmpty: false } usable, _) => $"{usable.Length} at {basis}",
            DaneAnswer.Records(var basis, _, _) => $"unusable at {basis}",
            DaneAnswer.None => "none",
            _ => "failed",
        };
    }

    private static async Task DeliversAsync(string policy, Func<ScriptedSink, Zones> zones, DeliveryTls? tls = null, bool hasTls = true, string? trust = null)
    {
        await using var sink = Sink(hasTls);
        var delivery = await TlsRig.DeliverAsync(zones(sink), sink, tls ?? Opportunistic);
        Assert.Equal((DeliveryOutcome.Delivered, policy, trust ?? delivery.TlsTrust), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsTrust));
    }

    private static async Task DefersAsync(string? phase, Func<ScriptedSink, Zones> zones, DeliveryTls? tls = null, bool hasTls = true, string? fault = null, int? connections = null)
    {
        await using var sink = Sink(hasTls);
        var delivery = await TlsRig.DeliverAsync(zones(sink), sink, tls ?? Opportunistic);
        Assert.Equal((DeliveryOutcome.Deferred, phase ?? delivery.Phase, fault ?? delivery.TlsFault), (delivery.Outcome, delivery.Phase, delivery.TlsFault));
        Assert.Equal(connections ?? sink.Connections, sink.Connections);
        Assert.Empty(sink.Messages);
    }

    private static async Task DefersOrFailsAsync(Func<ScriptedSink, Zones> zones)
    {
        await using var sink = Sink();
        Assert.NotEqual(DeliveryOutcome.Delivered, (await TlsRig.DeliverAsync(zones(sink), sink, Opportunistic)).Outcome);
        Assert.Equal(0, sink.Connections);
    }

    private static async Task GoesToSecondAsync(Action<Zones> spoil, bool tlsa = false)
    {
        await using var sink = Sink();
        var zones = TlsRig.Zones().Mx("there.test", 20, "mx2.there.test").A("mx2.there.test", "127.0.0.1").Tlsa("mx2.there.test", sink.Port, sink.Options.Certificate!);
        spoil(zones);
        if (tlsa)
            zones.Broken.Add($"_{sink.Port}._tcp.mx.there.test");
        var delivery = await TlsRig.DeliverAsync(zones, sink, Opportunistic);
        Assert.Equal((DeliveryOutcome.Delivered, $"mx2.there.test[127.0.0.1]:{sink.Port}", "verified"), (delivery.Outcome, delivery.Remote, delivery.TlsTrust));
    }
}
