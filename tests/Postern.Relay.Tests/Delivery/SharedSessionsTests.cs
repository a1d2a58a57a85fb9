using System.Collections.Frozen;
using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Domains that one exchanger serves use connections to it one after another, on the same terms and no others.</summary>
public sealed class SharedSessionsTests
{
    private static ScriptedDns OneExchanger() => new((_, type) => type switch
    {
        DnsType.Mx => ScriptedDns.Mx((10, "mx.test")),
        DnsType.A => ScriptedDns.A("127.0.0.1"),
        _ => ScriptedDns.Nothing,
    });

    private static DeliveryOptions Options(ScriptedDns dns, int port, params Route[] routes) => DeliveryRig.Options([.. routes, new Route("*", "mx")]) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        MxPort = port,
        AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
        IdleClose = TimeSpan.FromDays(1),
        // Whoever comes while the connection is on its way to be left waits for it.
        ConnectionsPerDestination = 1,
    };

    [Fact]
    public async Task Four_hundred_domains_on_one_exchanger_need_no_more_connections_than_one_may_have()
    {
        await using var sink = new ScriptedSink();
        await using var dns = OneExchanger();
        await using var rig = new DeliveryRig(Options(dns, sink.Port) with { ConnectionsPerDestination = 20, Connections = 40 });
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 400; i++)
            ids.Add(await rig.AddAsync($"b@d{i}.test"));
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);

        Assert.InRange(sink.Connections, 1, 20);
        Assert.Equal(400, sink.Messages.SelectMany(static m => m.Recipients).Distinct().Count());
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), d => Assert.Equal(
            (DeliveryOutcome.Delivered, 1, $"mx.test[127.0.0.1]:{sink.Port}"), (d.Outcome, d.Attempt, d.Remote)));
    }

    /// <summary>What makes two destinations strangers to each other's connections.</summary>
    [Theory]
    [InlineData("nothing", 1)]
    [InlineData("tls", 3)]
    [InlineData("bind", 3)]
    [InlineData("hello", 3)]
    [InlineData("pool", 3)]
    public async Task Who_is_to_be_spoken_to_on_other_terms_has_a_connection_of_its_own(string differs, int connections)
    {
        using var certificate = TestCertificate.Create("mx.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        await using var dns = OneExchanger();
        var route = new Route("two.test", "mx");
        var options = Options(dns, sink.Port, differs switch
        {
            "bind" => route with { Bind = IPAddress.Loopback },
            "hello" => route with { Hello = "other.test" },
            "pool" => route with { Pool = "p" },
            _ => route,
        });
        options = differs switch
        {
            "tls" => options with { Tls = DeliveryTls.Create(new TlsRule("*", TlsLevel.Opportunistic), [new TlsRule("two.test", TlsLevel.Encrypt)]).Tls! },
            "pool" => options with
            {
                Pools = new Dictionary<string, EgressPool> { ["p"] = new("p", [new EgressSource(IPAddress.Loopback, Domain.Parse("pool.test"))]) }.ToFrozenDictionary(),
            },
            _ => options,
        };
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();

        foreach (var domain in (string[])["zero.test", "one.test", "two.test", "one.test"])
            await rig.Spool.GoneAsync(await rig.AddAsync($"b@{domain}"));

        Assert.Equal(connections, sink.Connections);
        Assert.Equal(4, sink.Messages.Count);
    }

    [Fact]
    public async Task A_connection_that_was_closed_meanwhile_costs_nobody_an_attempt()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var sink = new ScriptedSink(new SinkOptions
        {
            // It takes the message and is gone, without a word, as servers are that have waited for long enough.
            Script = (phase, _, connection) => phase == SinkPhase.EndOfData && connection == 0 ? new SinkAction.Raw("250 2.0.0 Taken\r\n"u8.ToArray())
                : phase == SinkPhase.Mail && connection == 0 && left.Task.IsCompleted ? new SinkAction.Close()
                : null,
        });
        await using var dns = OneExchanger();
        await using var rig = new DeliveryRig(Options(dns, sink.Port));
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("b@zero.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
        left.SetResult();

        await rig.Spool.GoneAsync(await rig.AddAsync("b@two.test"));

        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
        Assert.Equal(["b@zero.test", "b@one.test", "b@two.test"], sink.Messages.Select(static m => m.Recipients.Single()));
    }

    [Fact]
    public async Task One_that_nobody_has_use_for_gives_way_to_a_new_one()
    {
        await using var sink = new ScriptedSink();
        await using var dns = OneExchanger();
        var options = Options(dns, sink.Port, new Route("other.test", "mx") { Hello = "other.test" });
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();

        foreach (var domain in (string[])["one.test", "two.test", "other.test", "three.test"])
            await rig.Spool.GoneAsync(await rig.AddAsync($"b@{domain}"));

        Assert.Equal(3, sink.Connections);
        Assert.Contains("C: QUIT", sink.Transcript(0));
        Assert.Contains("C: QUIT", sink.Transcript(1));
    }

    [Fact]
    public async Task They_are_closed_politely_when_nobody_had_use_for_them_for_a_while_and_at_the_end()
    {
        var quits = 0;
        var quit = new SemaphoreSlim(0);
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, _) =>
            {
                if (phase == SinkPhase.Quit && Interlocked.Increment(ref quits) > 0)
                    quit.Release();
                return null;
            },
        });
        await using var dns = OneExchanger();
        await using (var rig = new DeliveryRig(Options(dns, sink.Port) with { IdleClose = TimeSpan.FromMilliseconds(200) }))
        {
            rig.Scheduler.Start();
            await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
            await rig.Spool.GoneAsync(await rig.AddAsync("b@two.test"));
            while (Volatile.Read(ref quits) < sink.Connections)
                Assert.True(await quit.WaitAsync(TimeSpan.FromSeconds(30)));
        }

        await using (var rig = new DeliveryRig(Options(dns, sink.Port)))
        {
            rig.Scheduler.Start();
            await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
            await rig.Spool.GoneAsync(await rig.AddAsync("b@two.test"));
        }

        while (Volatile.Read(ref quits) < sink.Connections)
            Assert.True(await quit.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Changed_settings_are_not_for_connections_that_were_opened_before()
    {
        await using var sink = new ScriptedSink();
        await using var dns = OneExchanger();
        var options = Options(dns, sink.Port);
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@two.test"));

        rig.Scheduler.Apply(options with { Hostname = Domain.Parse("renamed.test") });
        await rig.Spool.GoneAsync(await rig.AddAsync("b@three.test"));

        Assert.Equal(2, sink.Connections);
        Assert.Contains("C: EHLO renamed.test", sink.Transcript(1));
    }

    [Fact]
    public async Task Each_domain_that_wants_reports_on_tls_has_its_session_counted()
    {
        var clock = new ManualClock();
        using var certificate = TestCertificate.Create("mx.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        await using var dns = OneExchanger();
        using var data = new TemporaryDirectory();
        var counts = new TlsCounts(data.Path, clock);
        var options = Options(dns, sink.Port) with { TlsReportsFrom = Mailbox.Parse("tls@relay.test") };
        await using (var rig = new DeliveryRig(options, transport: new SmtpDelivery(options, TimeProvider.System, listeners: null, new StsCache(directory: null, clock), counts)))
        {
            rig.Scheduler.Start();
            foreach (var domain in (string[])["zero.test", "one.test", "two.test"])
                await rig.Spool.GoneAsync(await rig.AddAsync($"b@{domain}"));
        }

        Assert.Equal(1, sink.Connections);
        counts.Flush();
        clock.Advance(TimeSpan.FromDays(1));
        Assert.All(counts.Read(Assert.Single(counts.Past())), static tally => Assert.Equal((1, 0), (tally.Policies.Single().Successes, tally.Policies.Single().FailedSessions)));
        Assert.Equal(3, counts.Read(Assert.Single(counts.Past())).Length);
    }
}
