using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>How a policy of MTA-STS is fetched, kept and applied (RFC 8461 §2, §3.3, §3.4, §4.2, §5, §8, §10).</summary>
internal static class StsDeliveryStatements
{
    private static readonly TestAuthority Authority = TestAuthority.Create("authority");
    private static readonly DeliveryTls Published = TlsRig.Policy(TlsLevel.MtaSts, TlsOtherwise.Opportunistic);
    private static readonly Domain There = Domain.Parse("there.test");

    public static IEnumerable<Statement> All => [.. Fetching, .. Keeping, .. Applying];

    private static IEnumerable<Statement> Fetching =>
    [
        new("8461 §3.3", "The policy is fetched from https://mta-sts.DOMAIN/.well-known/mta-sts.txt", async () =>
        {
            await using var world = new World();
            Assert.Equal("Enforce", await world.FindAsync());
            Assert.Equal(["GET /.well-known/mta-sts.txt mta-sts.there.test"], world.Server.Requests);
        }),
        new("8461 §3.3", "Without a record in DNS nothing is fetched", async () =>
        {
            await using var world = new World();
            world.Zones.Without("_mta-sts.there.test", DnsType.Txt);
            Assert.Equal("none", await world.FindAsync());
            Assert.Empty(world.Server.Requests);
        }),
        .. new (string Says, string? Fault, Action<World> Spoil)[]
        {
            ("A redirect is not followed", "sts-policy-fetch-error", static w => (w.Server.Status, w.Server.Fields) = (302, $"Location: https://mta-sts.there.test:{w.Server.Port}/other\r\n")),
            ("A permanent redirect is not followed", "sts-policy-fetch-error", static w => (w.Server.Status, w.Server.Fields) = (308, $"Location: https://mta-sts.there.test:{w.Server.Port}/other\r\n")),
            ("Only status 200 is a policy: 404 is none", "sts-policy-fetch-error", static w => w.Server.Status = 404),
            ("Only status 200 is a policy: 206 is none", "sts-policy-fetch-error", static w => w.Server.Status = 206),
            ("Only status 200 is a policy: 500 is none", "sts-policy-fetch-error", static w => w.Server.Status = 500),
            ("Another media type than text/plain is none", "sts-policy-fetch-error", static w => w.Server.ContentType = "text/html"),
            ("More than 64 KiB are not read", "sts-policy-fetch-error", static w => w.Server.Body += new string('\n', 66_000)),
            ("A text that is no policy is none", "sts-policy-invalid", static w => w.Server.Body = "version: STSv1\nmode: enforce\n"),
            ("A certificate for another name is refused", "sts-webpki-invalid", static w => w.Server.Certificate = Authority.IssueServer(["there.test"])),
            ("A certificate that has expired is refused", "sts-webpki-invalid", static w => w.Server.Certificate = Authority.IssueServer(["mta-sts.there.test"], validFor: TimeSpan.FromHours(1))),
            ("A certificate that nobody who is trusted issued is refused", "sts-webpki-invalid", static w => w.Server.Certificate = TestCertificate.Create("mta-sts.there.test")),
            ("A common name is no name", "sts-webpki-invalid", static w => w.Server.Certificate = Issue("CN=mta-sts.there.test", name: null)),
            ("A wildcard for part of the first label is no name", "sts-webpki-invalid", static w => w.Server.Certificate = Authority.IssueServer(["mta*.there.test"])),
            ("A wildcard for the first label is a name", null, static w => w.Server.Certificate = Authority.IssueServer(["*.there.test"])),
            ("text/plain with parameters is text/plain", null, static w => w.Server.ContentType = "Text/Plain; charset=utf-8"),
        }.Select(static row => new Statement("8461 §3.3", row.Says, async () =>
        {
            await using var world = new World();
            row.Spoil(world);
            Assert.Equal(row.Fault ?? "Enforce", await world.FindAsync());
            Assert.True(world.Server.Requests.Count <= 1);
        })),
        new("8461 §3.3", "A server that says nothing is waited for so long and no longer", async () =>
        {
            await using var world = new World { Timeout = TimeSpan.FromMilliseconds(200) };
            world.Server.IsSilent = true;
            Assert.Equal("sts-policy-fetch-error", await world.FindAsync());
        }),
        new("8461 §3.3", "After a fetch that failed the same policy is not asked for again at once, and another one is", async () =>
        {
            await using var world = new World();
            world.Server.Status = 500;
            await world.FindAsync();
            await world.FindAsync();
            Assert.Single(world.Server.Requests);
            world.Announce("2");
            await world.FindAsync();
            Assert.Equal(2, world.Server.Requests.Count);
        }),
        new("8461 §3.4", "The policy of a domain is not that of a domain below it", async () =>
        {
            await using var world = new World();
            Assert.Equal("none", await world.FindAsync("sub.there.test"));
            Assert.Empty(world.Server.Requests);
        }),
        new("8461 §3.4", "An address literal has no policy", async () =>
        {
            await using var world = new World();
            await using var sink = new ScriptedSink();
            Assert.Equal((DeliveryOutcome.Delivered, "opportunistic"), await world.DeliverAsync(sink, to: "b@[127.0.0.1]") is var d ? (d.Outcome, d.TlsPolicy) : default);
            Assert.Empty(world.Server.Requests);
        }),
    ];

    private static IEnumerable<Statement> Keeping =>
    [
        new("8461 §3.2", "A policy counts for max_age from when it was fetched, and not longer", async () =>
        {
            await using var world = new World();
            world.Server.Body = PolicyServer.Policy("enforce", 3600, "mx.there.test");
            await world.FindAsync();
            world.Zones.Without("_mta-sts.there.test", DnsType.Txt);
            world.Clock.Advance(TimeSpan.FromMinutes(59));
            Assert.Equal("Enforce", await world.FindAsync());
            world.Clock.Advance(TimeSpan.FromMinutes(2));
            Assert.Equal("none", await world.FindAsync());
        }),
        new("8461 §3.2", "max_age 0 keeps nothing", async () =>
        {
            await using var world = new World();
            world.Server.Body = PolicyServer.Policy("enforce", 0, "mx.there.test");
            Assert.Equal("Enforce", await world.FindAsync());
            world.Zones.Without("_mta-sts.there.test", DnsType.Txt);
            Assert.Equal("none", await world.FindAsync());
        }),
        new("8461 §3.1", "That the record is gone does not take a policy away that is kept", () => KeepsAsync(static w => w.Zones.Without("_mta-sts.there.test", DnsType.Txt))),
        new("8461 §3.1", "Nor does a record that breaks the syntax, or a second one", async () =>
        {
            await KeepsAsync(static w => w.Announce(null, "v=STSv1; id=;"));
            await KeepsAsync(static w => w.Announce(null, "v=STSv1; id=1;", "v=STSv1; id=2;"));
        }),
        new("8461 §10.2", "Nor does DNS that does not answer", () => KeepsAsync(static w => w.Zones.Broken.Add("_mta-sts.there.test"))),
        new("8461 §3.3", "Nor does a fetch that fails: 500, another certificate, another media type, a redirect, a text that is no policy", async () =>
        {
            foreach (var spoil in new Action<World>[]
            {
                static w => w.Server.Status = 500,
                static w => w.Server.Certificate = TestCertificate.Create("mta-sts.there.test"),
                static w => w.Server.ContentType = "text/html",
                static w => w.Server.Status = 301,
                static w => w.Server.Body = "nothing",
            })
            {
                await KeepsAsync(w =>
                {
                    w.Announce("2");
                    spoil(w);
                });
            }
        }),
        new("8461 §3.1", "Another id in the record has the policy fetched again, the same one has not", async () =>
        {
            await using var world = new World();
            await world.FindAsync();
            world.Server.Body = PolicyServer.Policy("testing", 3600, "mx.there.test");
            Assert.Equal("Enforce", await world.FindAsync());
            world.Announce("2");
            Assert.Equal("Testing", await world.FindAsync());
            Assert.Equal(2, world.Server.Requests.Count);
        }),
        new("8461 §5.1", "A policy that is kept is fetched again before it runs out", async () =>
        {
            await using var world = new World();
            await world.FindAsync();
            world.Clock.Advance(TimeSpan.FromHours(13));
            await world.RenewAsync();
            Assert.Equal(2, world.Server.Requests.Count);
        }),
        new("8461 §10.2", "Policies outlive a restart", async () =>
        {
            await using var world = new World();
            await world.FindAsync();
            world.Zones.Without("_mta-sts.there.test", DnsType.Txt);
            world.Restart();
            Assert.Equal("Enforce", await world.FindAsync());
        }),
        new("8461 §8.3", "Mode none takes a policy back", async () =>
        {
            await using var world = new World();
            await world.FindAsync();
            world.Server.Body = PolicyServer.Policy("none", 60);
            world.Announce("2");
            Assert.Equal("none", await world.FindAsync());
            world.Server.Status = 500;
            world.Announce("3");
            Assert.Equal("none", await world.FindAsync());
        }),
    ];

    private static IEnumerable<Statement> Applying =>
    [
        .. new (string Section, string Says, string[]? Names, string? Fault)[]
        {
            ("8461 §4.2", "A certificate for the host's name is accepted", ["mx.there.test"], null),
            ("8461 §4.2", "A wildcard for the first label is accepted", ["*.there.test"], null),
            ("8461 §4.2", "A wildcard for more than one label is refused", ["*.test"], "certificate-host-mismatch"),
            ("8461 §4.2", "A certificate for the domain of the mail alone is refused", ["there.test"], "certificate-host-mismatch"),
            ("8461 §4.2", "A certificate for the name of the policy's server is refused", ["mta-sts.there.test"], "certificate-host-mismatch"),
            ("8461 §4.2", "A server without STARTTLS gets no mail", null, "starttls-not-supported"),
        }.Select(static row => new Statement(row.Section, row.Says, async () =>
        {
            await using var world = new World();
            await using var sink = Sink(row.Names is null ? null : Authority.IssueServer(row.Names));
            await world.HoldsAsync(sink, row.Fault);
        })),
        new("8461 §4.2", "A certificate that has expired is refused", async () =>
        {
            await using var world = new World();
            await using var sink = Sink(Authority.IssueServer(["mx.there.test"], validFor: TimeSpan.FromHours(1)));
            await world.HoldsAsync(sink, "certificate-expired");
        }),
        new("8461 §4.2", "A certificate that nobody who is trusted issued is refused", async () =>
        {
            await using var world = new World();
            await using var sink = Sink(TestCertificate.Create("mx.there.test"));
            await world.HoldsAsync(sink, "certificate-not-trusted");
        }),
        new("8461 §4.2", "A certificate needs a name in its subjectAltName: a common name is none", async () =>
        {
            await using var world = new World();
            await using var sink = Sink(Issue("CN=mx.there.test", name: null));
            await world.HoldsAsync(sink, "certificate-host-mismatch");
        }),
        new("8461 §4.2", "The handshake asks for the host's name (SNI)", async () =>
        {
            await using var world = new World();
            await using var sink = Sink(Authority.IssueServer(["mx.there.test"]));
            await world.HoldsAsync(sink, fault: null);
            Assert.Equal(["mx.there.test"], sink.AskedNames);
        }),
        new("8461 §4.1", "A host that no pattern allows is not connected to, the next one is", async () =>
        {
            await using var world = new World();
            world.Zones.Without("there.test", DnsType.Mx).Mx("there.test", 1, "mx.evil.test").A("mx.evil.test", "127.0.0.1").Mx("there.test", 10, "mx.there.test");
            await using var sink = Sink(Authority.IssueServer(["mx.there.test"]));
            Assert.Equal((DeliveryOutcome.Delivered, $"mx.there.test[127.0.0.1]:{sink.Port}", 1), await world.DeliverAsync(sink) is var d ? (d.Outcome, d.Remote, sink.Connections) : default);
        }),
        new("8461 §5", "Enforce: no host that fails gets mail, which waits and is not returned", async () =>
        {
            await using var world = new World();
            world.Zones.Without("there.test", DnsType.Mx).Mx("there.test", 1, "mx.evil.test").A("mx.evil.test", "127.0.0.1");
            await using var sink = Sink(Authority.IssueServer(["mx.evil.test"]));
            Assert.Equal((DeliveryOutcome.Deferred, "mta-sts", "validation-failure"), await world.DeliverAsync(sink) is var d ? (d.Outcome, d.TlsPolicy, d.TlsFault) : default);
            Assert.Equal(0, sink.Connections);
        }),
        new("8461 §5.1", "A policy that was changed meanwhile counts for the next attempt, so that no mail is returned for an old one", async () =>
        {
            await using var world = new World();
            await using var sink = Sink(TestCertificate.Create("mx.there.test"));
            Assert.Equal(DeliveryOutcome.Deferred, (await world.DeliverAsync(sink)).Outcome);
            world.Server.Body = PolicyServer.Policy("none", 60);
            world.Announce("2");
            Assert.Equal(DeliveryOutcome.Delivered, (await world.DeliverAsync(sink)).Outcome);
        }),
        .. new (string Says, X509Certificate2? Certificate, string Host, string Fault)[]
        {
            ("Testing: a host without STARTTLS gets mail, and the fault is told", null, "mx.there.test", "starttls-not-supported"),
            ("Testing: a host with another certificate gets mail, and the fault is told", TestCertificate.Create("other.test"), "mx.there.test", "certificate-host-mismatch"),
            ("Testing: a host that no pattern allows gets mail, and the fault is told", TestCertificate.Create("mx.other.test"), "mx.other.test", "validation-failure"),
        }.Select(static row => new Statement("8461 §5", row.Says, async () =>
        {
            await using var world = new World();
            world.Server.Body = PolicyServer.Policy("testing", 86400, "mx.there.test");
            world.Zones.Without("there.test", DnsType.Mx).Mx("there.test", 10, row.Host).Without(row.Host, DnsType.A).A(row.Host, "127.0.0.1");
            await using var sink = Sink(row.Certificate);
            Assert.Equal((DeliveryOutcome.Delivered, "mta-sts-testing", row.Fault), await world.DeliverAsync(sink) is var d ? (d.Outcome, d.TlsPolicy, d.TlsFault) : default);
        })),
        new("8461 §5", "None: mail goes as to a domain without a policy", async () =>
        {
            await using var world = new World();
            world.Server.Body = PolicyServer.Policy("none", 86400);
            await using var sink = Sink(certificate: null);
            Assert.Equal((DeliveryOutcome.Delivered, "opportunistic"), await world.DeliverAsync(sink) is var d ? (d.Outcome, d.TlsPolicy) : default);
        }),
        new("8461 §2", "DANE is asked first, and what it refuses no policy allows", async () =>
        {
            await using var world = new World();
            world.Zones.Unsigned.Clear();
            await using var sink = Sink(Authority.IssueServer(["mx.there.test"]));
            world.Zones.Tlsa("mx.there.test", sink.Port, TestCertificate.Create("mx.there.test"));
            Assert.Equal((DeliveryOutcome.Deferred, "dane"), await world.DeliverAsync(sink) is var d ? (d.Outcome, d.TlsPolicy) : default);
            Assert.Empty(world.Server.Requests);
        }),
    ];

    private static ScriptedSink Sink(X509Certificate2? certificate) => new(new SinkOptions { Certificate = certificate });

    private static async Task KeepsAsync(Action<World> spoil)
    {
        await using var world = new World();
        Assert.Equal("Enforce", await world.FindAsync());
        spoil(world);
        Assert.Equal("Enforce", await world.FindAsync());
        world.Restart();
        Assert.Equal("Enforce", await world.FindAsync());
    }

    private static X509Certificate2 Issue(string subject, string? name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (name is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
        }

        using var issued = request.Create(Authority.Certificate, Authority.Certificate.NotBefore, Authority.Certificate.NotAfter, RandomNumberGenerator.GetBytes(8));
        using var joined = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), password: null);
    }

    /// <summary>there.test with its policy, in zones that nobody signed, and what is kept of it here.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TemporaryDirectory data = new();
        private readonly ScriptedDns dns;
        private StsPolicies? policies;

        public World()
        {
            Zones = TlsRig.Zones().Txt("_mta-sts.there.test", "v=STSv1; id=1;").A("mta-sts.there.test", "127.0.0.1");
            Zones.Unsigned.Add("test");
            dns = Zones.Serve();
        }

        public ManualClock Clock { get; } = new();

        public Zones Zones { get; }

        public PolicyServer Server { get; } = new(Authority.IssueServer(["mta-sts.there.test"])) { Body = PolicyServer.Policy("enforce", 86400, "*.there.test") };

        public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

        public void Announce(string? id, params string[] texts)
        {
            Zones.Without("_mta-sts.there.test", DnsType.Txt);
            foreach (var text in id is null ? texts : [$"v=STSv1; id={id};"])
                Zones.Txt("_mta-sts.there.test", text);
        }

        public void Restart() => policies = null;

        public async Task<string> FindAsync(string domain = "there.test") => await (policies ??= Make()).FindAsync(Domain.Parse(domain), TestContext.Current.CancellationToken) switch
        {
            StsAnswer.Policy(var kept) => kept.Policy.Mode.ToString(),
            StsAnswer.None(_, { } fault) => TlsWords.Of(fault),
            _ => "none",
        };

        public ValueTask RenewAsync() => (policies ??= Make()).RenewAsync(TestContext.Current.CancellationToken);

        public async Task<DeliveryEvent> DeliverAsync(ScriptedSink sink, string to = TlsRig.To)
        {
            await using var rig = new DeliveryRig(Options(sink.Port));
            rig.Scheduler.Start();
            await rig.AddAsync(to);
            return await rig.Audit.NextAsync<DeliveryEvent>();
        }

        public async Task HoldsAsync(ScriptedSink sink, string? fault)
        {
            var delivery = await DeliverAsync(sink);
            Assert.Equal((fault is null ? DeliveryOutcome.Delivered : DeliveryOutcome.Deferred, "mta-sts", fault), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsFault));
            Assert.Equal(fault is null ? 1 : 0, sink.Messages.Count);
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await dns.DisposeAsync();
            data.Dispose();
        }

        private DeliveryOptions Options(int port) => TlsRig.Options(dns, port, Published) with { TrustedRoots = [Authority.Certificate], PolicyPort = Server.Port, PolicyTimeout = Timeout };

        private StsPolicies Make()
        {
            var cache = new DnsCache(new DnsClient(new ResolverList([dns.EndPoint], isValidating: false, ResolvConf.Path, TimeProvider.System), TimeSpan.FromSeconds(20), TimeProvider.System), new EachLookADay());
            return new StsPolicies(cache, new StsFetch(Options(25), new MxResolver(cache), TimeProvider.System), new StsCache(data.Path, Clock), Clock);
        }
    }

    /// <summary>No answer of DNS is ever kept.</summary>
    private sealed class EachLookADay : TimeProvider
    {
        private long days;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddDays(Interlocked.Increment(ref days));
    }
}
