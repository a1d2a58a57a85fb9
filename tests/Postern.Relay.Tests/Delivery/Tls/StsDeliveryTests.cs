using System.Net;
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

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>What becomes of mail to a domain with an MTA-STS policy, and how the policy is come by and kept (RFC 8461).</summary>
public sealed class StsDeliveryTests : IAsyncDisposable
{
    private static readonly TestAuthority Authority = TestAuthority.Create("authority");
    private static readonly DeliveryTls Published = TlsRig.Policy(TlsLevel.MtaSts, TlsOtherwise.Opportunistic);
    private static readonly Domain There = Domain.Parse("there.test");

    private readonly PolicyServer server = new(Authority.IssueServer(["mta-sts.there.test"])) { Body = PolicyServer.Policy("enforce", 86400, "*.there.test") };
    private readonly Zones zones = TlsRig.Zones().Txt("_mta-sts.there.test", "v=STSv1; id=1;").A("mta-sts.there.test", "127.0.0.1");

    public StsDeliveryTests() => zones.Unsigned.Add("test");

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private static ScriptedSink Sink(string? name = "mx.there.test") =>
        new(new SinkOptions { Certificate = name is null ? null : Authority.IssueServer([name]), Extensions = ["REQUIRETLS"] });

    private DeliveryOptions With(DeliveryOptions options) => options with { TrustedRoots = [Authority.Certificate], PolicyPort = server.Port };

    private Task<DeliveryEvent> DeliverAsync(ScriptedSink sink, DeliveryTls? tls = null) => TlsRig.DeliverAsync(zones, sink, tls ?? Published, options: With);

    [Fact]
    public async Task A_host_of_the_policy_with_a_certificate_for_its_name_is_proven()
    {
        await using var sink = Sink();

        var delivery = await DeliverAsync(sink);

        Assert.Equal((DeliveryOutcome.Delivered, "mta-sts", "verified", null), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsTrust, delivery.TlsFault));
        Assert.Equal(["GET /.well-known/mta-sts.txt mta-sts.there.test"], server.Requests);
        Assert.Equal(["mx.there.test"], sink.AskedNames);
    }

    [Theory]
    [InlineData("other.test", "certificate-host-mismatch")]
    [InlineData("there.test", "certificate-host-mismatch")]
    [InlineData(null, "starttls-not-supported")]
    public async Task A_host_that_cannot_prove_its_name_gets_no_mail(string? name, string fault)
    {
        await using var sink = Sink(name);

        var delivery = await DeliverAsync(sink);

        Assert.Equal((DeliveryOutcome.Deferred, "mta-sts", fault, "no_tls"), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsFault, delivery.Category));
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task A_host_that_is_not_in_the_policy_is_not_spoken_to_and_the_next_is()
    {
        await using var sink = Sink();
        zones.Without("there.test", DnsType.Mx).Mx("there.test", 1, "mx.evil.test").A("mx.evil.test", "127.0.0.1");
        Assert.Equal("mx.evil.test is none of the hosts in the MTA-STS policy of there.test", (await DeliverAsync(sink)).Reply);
        Assert.Equal(0, sink.Connections);

        zones.Mx("there.test", 10, "mx.there.test");
        Assert.Equal((DeliveryOutcome.Delivered, $"mx.there.test[127.0.0.1]:{sink.Port}"), await DeliverAsync(sink) is var second ? (second.Outcome, second.Remote) : default);
    }

    [Theory]
    [InlineData("other.test", "certificate-host-mismatch")]
    [InlineData(null, "starttls-not-supported")]
    public async Task What_a_policy_that_is_tried_would_refuse_is_told_and_goes(string? name, string fault)
    {
        server.Body = PolicyServer.Policy("testing", 86400, "mx.there.test");
        await using var sink = Sink(name);

        var delivery = await DeliverAsync(sink);

        Assert.Equal((DeliveryOutcome.Delivered, "mta-sts-testing", fault), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsFault));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("no record")]
    public async Task Where_there_is_no_policy_mail_goes_as_the_rule_says(string how)
    {
        if (how == "none")
            server.Body = PolicyServer.Policy("none", 86400);
        else
            zones.Without("_mta-sts.there.test", DnsType.Txt);
        await using var sink = Sink(name: null);

        Assert.Equal((DeliveryOutcome.Delivered, "opportunistic"), await DeliverAsync(sink) is var open ? (open.Outcome, open.TlsPolicy) : default);
        Assert.Equal(DeliveryOutcome.Deferred, (await DeliverAsync(sink, TlsRig.Policy(TlsLevel.MtaSts))).Outcome);
    }

    /// <summary>RFC 8461 §2: DANE is not overridden.</summary>
    [Fact]
    public async Task What_dane_refuses_no_policy_allows()
    {
        zones.Unsigned.Clear();
        await using var sink = Sink();
        using var other = TestCertificate.Create("mx.there.test");
        zones.Tlsa("mx.there.test", sink.Port, other);

        var delivery = await DeliverAsync(sink);

        Assert.Equal((DeliveryOutcome.Deferred, "dane"), (delivery.Outcome, delivery.TlsPolicy));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Where_dane_proves_the_host_alone_the_policy_proves_the_rest()
    {
        zones.Unsigned.Clear();
        await using var sink = Sink("mx.there.test");
        zones.Tlsa("mx.there.test", sink.Port, sink.Options.Certificate!);
        await using var dns = new ScriptedDns((name, type) => zones.Answer(name, type) is { } reply && type == DnsType.Mx ? reply with { IsAuthentic = false } : zones.Answer(name, type));
        await using var rig = new DeliveryRig(With(TlsRig.Options(dns, sink.Port, Published)));
        rig.Scheduler.Start();
        await rig.AddAsync(TlsRig.To);

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Delivered, "mta-sts", "verified"), (delivery.Outcome, delivery.TlsPolicy, delivery.TlsTrust));
    }

    [Theory]
    [InlineData("redirect", TlsFault.StsPolicyFetchError)]
    [InlineData("missing", TlsFault.StsPolicyFetchError)]
    [InlineData("html", TlsFault.StsPolicyFetchError)]
    [InlineData("large", TlsFault.StsPolicyFetchError)]
    [InlineData("silent", TlsFault.StsPolicyFetchError)]
    [InlineData("broken", TlsFault.StsPolicyInvalid)]
    [InlineData("name", TlsFault.StsWebpkiInvalid)]
    [InlineData("issuer", TlsFault.StsWebpkiInvalid)]
    [InlineData("inside", TlsFault.StsPolicyFetchError)]
    public async Task A_policy_that_cannot_be_had_is_none_and_its_reason_is_kept_for_a_while(string how, TlsFault fault)
    {
        var allowed = IPNetwork.Parse("127.0.0.0/8");
        switch (how)
        {
            case "redirect":
                (server.Status, server.Fields) = (301, "Location: https://mta-sts.there.test/elsewhere\r\n");
                break;
            case "missing":
                server.Status = 404;
                break;
            case "html":
                server.ContentType = "text/html";
                break;
            case "large":
                server.Body += new string('\n', 70_000);
                break;
            case "silent":
                server.IsSilent = true;
                break;
            case "broken":
                server.Body = "version: STSv1\n";
                break;
            case "name":
                server.Certificate = Authority.IssueServer(["there.test"]);
                break;
            case "issuer":
                server.Certificate = TestCertificate.Create("mta-sts.there.test");
                break;
            default:
                allowed = IPNetwork.Parse("10.0.0.0/8");
                break;
        }

        await using var dns = zones.Serve();
        var options = With(TlsRig.Options(dns, 25, Published)) with { AllowedMxNetworks = [allowed], PolicyTimeout = TimeSpan.FromSeconds(how == "silent" ? 0.2 : 20) };
        var policies = Policies(options, new StsCache(directory: null, TimeProvider.System), TimeProvider.System);

        Assert.Equal(fault, Assert.IsType<StsAnswer.None>(await policies.FindAsync(There, TestContext.Current.CancellationToken)).Fault);
        Assert.Equal(fault, Assert.IsType<StsAnswer.None>(await policies.FindAsync(There, TestContext.Current.CancellationToken)).Fault);
        Assert.True(server.Requests.Count <= 1);
    }

    [Fact]
    public async Task A_policy_outlives_a_restart_and_everything_that_somebody_in_between_can_do()
    {
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        await using var dns = zones.Serve();
        var options = With(TlsRig.Options(dns, 25, Published));
        StsPolicies Again() => Policies(options, new StsCache(data.Path, clock), clock);
        async Task<string> FindAsync(StsPolicies policies) => await policies.FindAsync(There, TestContext.Current.CancellationToken) is StsAnswer.Policy({ Policy: var policy }) ? policy.Mode.ToString() : "none";
        Assert.Equal("Enforce", await FindAsync(Again()));

        zones.Broken.Add("_mta-sts.there.test");
        Assert.Equal("Enforce", await FindAsync(Again()));
        zones.Broken.Clear();
        zones.Without("_mta-sts.there.test", DnsType.Txt);
        Assert.Equal("Enforce", await FindAsync(Again()));
        zones.Txt("_mta-sts.there.test", "v=STSv1; id=2;");
        server.Status = 500;
        Assert.Equal("Enforce", await FindAsync(Again()));
        Assert.Equal(2, server.Requests.Count);

        // Another policy that can be fetched counts.
        (server.Status, server.Body) = (200, PolicyServer.Policy("testing", 3600, "mx.there.test"));
        Assert.Equal("Testing", await FindAsync(Again()));
        clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
        zones.Without("_mta-sts.there.test", DnsType.Txt);
        Assert.Equal("none", await FindAsync(Again()));
    }

    [Fact]
    public async Task A_policy_is_fetched_again_before_it_runs_out_and_one_that_cannot_be_stays()
    {
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        await using var dns = zones.Serve();
        var cache = new StsCache(data.Path, clock);
        var policies = Policies(With(TlsRig.Options(dns, 25, Published)), cache, clock);
        await policies.FindAsync(There, TestContext.Current.CancellationToken);
        var begun = clock.GetUtcNow();

        clock.Advance(TimeSpan.FromHours(11));
        await policies.RenewAsync(TestContext.Current.CancellationToken);
        Assert.Single(server.Requests);
        clock.Advance(TimeSpan.FromHours(2));
        server.Status = 500;
        await policies.RenewAsync(TestContext.Current.CancellationToken);
        Assert.Equal((2, begun), (server.Requests.Count, cache.Find(There)!.FetchedAt));
        server.Status = 200;
        await policies.RenewAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, server.Requests.Count);     // not within five minutes of a failure
        clock.Advance(TimeSpan.FromMinutes(6));
        await policies.RenewAsync(TestContext.Current.CancellationToken);
        Assert.Equal((3, clock.GetUtcNow()), (server.Requests.Count, new StsCache(data.Path, clock).Find(There)!.FetchedAt));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_told_of_and_fetched_again()
    {
        using var data = new TemporaryDirectory();
        await File.WriteAllTextAsync(Path.Combine(data.Path, "there.test.json"), "{\"id\":", TestContext.Current.CancellationToken);
        await using var dns = zones.Serve();
        var audit = new RecordingAudit();
        var policies = Policies(With(TlsRig.Options(dns, 25, Published)), new StsCache(data.Path, TimeProvider.System, audit), TimeProvider.System);

        Assert.IsType<StsAnswer.Policy>(await policies.FindAsync(There, TestContext.Current.CancellationToken));
        Assert.Contains("is fetched again", Assert.Single(audit.Events.OfType<ServerEvent>()).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Policies_that_are_kept_are_bounded_and_what_has_run_out_makes_room()
    {
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        var cache = new StsCache(data.Path, clock, most: 2);
        void Put(string domain, int days) =>
            cache.Put(Domain.Parse(domain), new StsKept(new StsPolicy(StsMode.Enforce, TimeSpan.FromDays(days), ["mx.test"]), "1", clock.GetUtcNow(), clock.GetUtcNow()));
        string[] Kept() => [.. Directory.GetFiles(data.Path).Select(static f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

        Put("a.test", 1);
        Put("b.test", 9);
        Put("c.test", 9);
        Assert.Equal(["a.test", "b.test"], Kept());
        clock.Advance(TimeSpan.FromDays(2));
        Put("d.test", 9);
        Assert.Equal(["b.test", "d.test"], Kept());
    }

    private static StsPolicies Policies(DeliveryOptions options, StsCache cache, TimeProvider clock)
    {
        var dns = new DnsCache(new DnsClient(new ResolverList(options.Resolvers, isValidating: false, ResolvConf.Path, clock), TimeSpan.FromSeconds(20), TimeProvider.System), new NoCache());
        return new StsPolicies(dns, new StsFetch(options, new MxResolver(dns), TimeProvider.System), cache, clock);
    }

    /// <summary>Each look at it is a day later: no answer of DNS is ever kept.</summary>
    private sealed class NoCache : TimeProvider
    {
        private long days;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddDays(Interlocked.Increment(ref days));
    }
}
