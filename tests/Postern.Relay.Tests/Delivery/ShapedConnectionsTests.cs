using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>What is said of connections and transactions, kept towards servers that listen.</summary>
public sealed class ShapedConnectionsTests
{
    private readonly ManualClock clock = new();

    private static Task UntilAsync(Func<bool> isSo) => Shaped.UntilAsync(isSo);

    private static DeliveryOptions To(int port, params ShapingEntry[] entries) =>
        DeliveryRig.Options(DeliveryRig.To("*", port)) with { Shaping = ShapingTable.Of(entries), IdleClose = TimeSpan.FromDays(1) };

    /// <summary>Each domain has an exchanger of its own name.</summary>
    private static ScriptedDns ExchangersBelow(string group, bool eachItsAddress = false) => new((name, type) => type switch
    {
        DnsType.Mx => ScriptedDns.Mx((10, $"{name.Replace('.', '-')}.{group}")),
        DnsType.A => ScriptedDns.A(eachItsAddress ? $"127.0.1.{1 + (name.Sum(static c => c) % 200)}" : "127.0.0.1"),
        _ => ScriptedDns.Nothing,
    });

    private static DeliveryOptions ByDns(ScriptedDns dns, int port, params ShapingEntry[] entries) => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        MxPort = port,
        AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
        Shaping = ShapingTable.Of(entries),
        IdleClose = TimeSpan.FromDays(1),
    };

    /// <summary>Moves the clock until it is so, in steps: a timer may be set at any moment of them.</summary>
    private async Task PassAsync(TimeSpan step, Func<bool> isSo)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            clock.Advance(step);
            await Task.Delay(2, deadline.Token);
        }
    }

    private DeliveryRig Rig(DeliveryOptions options) => new(options, clock, transport: new SmtpDelivery(options, clock));

    [Fact]
    public async Task Domains_whose_exchangers_are_of_one_group_share_its_rate_from_the_first_message_on_and_another_group_does_not()
    {
        await using var sink = new ScriptedSink();
        await using var dns = ExchangersBelow("group.test");
        await using var rig = Rig(ByDns(dns, sink.Port, Shaped.Host(".group.test", ShapingKey.Messages, new Rate(1, TimeSpan.FromSeconds(5), 1))));
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 9; i++)
            ids.Add(await rig.AddAsync($"b@d{i % 3}.test"));
        await UntilAsync(() => sink.Messages.Count == 1);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.All(static d => d.WaitsFor?.Contains("for mx *.group.test", StringComparison.Ordinal) == true));
        // Nobody is connected to for what waits.
        Assert.Equal(1, sink.Connections);
        var before = clock.GetUtcNow();
        await PassAsync(TimeSpan.FromMilliseconds(500), () => sink.Messages.Count == 9);
        Assert.InRange((clock.GetUtcNow() - before).TotalSeconds, 35, 120);

        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
    }

    [Fact]
    public async Task A_group_has_its_connections_over_all_of_its_hosts_and_a_reload_gives_it_more_at_once()
    {
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.EndOfData, new SinkAction.After(hold.Task)), IPAddress.Any);
        await using var dns = ExchangersBelow("group.test", eachItsAddress: true);
        var two = ByDns(dns, sink.Port, Shaped.Host(".group.test", ShapingKey.Connections, 2));
        await using var rig = Rig(two);
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 12; i++)
            ids.Add(await rig.AddAsync($"b@d{i}.test"));
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Count(static d => d.WaitsFor?.StartsWith("mx *.group.test has as many connections", StringComparison.Ordinal) == true) == 10);
        await UntilAsync(() => sink.Connections == 2);

        rig.Scheduler.Apply(two with { Shaping = ShapingTable.Of([Shaped.Host(".group.test", ShapingKey.Connections, 4)]) });
        await UntilAsync(() => sink.Connections == 4);
        hold.SetResult();
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task New_connections_come_by_their_rate_and_those_that_are_open_carry_on()
    {
        var begun = new ConcurrentQueue<DateTimeOffset>();
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, _) =>
            {
                if (phase == SinkPhase.Connect)
                    begun.Enqueue(clock.GetUtcNow());
                return null;
            },
        });
        var options = To(sink.Port, Shaped.Route("*", ShapingKey.NewConnections, new Rate(1, TimeSpan.FromMinutes(1), 1)).Says(ShapingKey.MessagesPerConnection, 3));
        options = options with { Routes = options.Routes.With(FrozenDictionary<string, string>.Empty, options.Shaping.Routes) };
        await using var rig = Rig(options);
        rig.Scheduler.Start();
        for (var i = 0; i < 9; i++)
            await rig.AddAsync("b@there.test");
        await UntilAsync(() => sink.Messages.Count == 3);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations is [{ WaitsFor: { } why }] && why.Contains("new_connections", StringComparison.Ordinal));
        await PassAsync(TimeSpan.FromSeconds(1), () => sink.Messages.Count == 9);

        Assert.InRange(sink.Connections, 3, 9);
        var times = begun.ToArray();
        Assert.All(times.Zip(times.Skip(1)), static pair => Assert.InRange((pair.Second - pair.First).TotalSeconds, 55, double.MaxValue));
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal(1, d.Attempt));
    }

    [Fact]
    public async Task A_connection_that_is_open_goes_by_what_is_said_now()
    {
        await using var sink = new ScriptedSink();
        var options = To(sink.Port);
        await using var rig = Rig(options);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("b@there.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@there.test"));
        Assert.Equal(1, sink.Connections);
        rig.Scheduler.Apply(options with { Shaping = ShapingTable.Of([Shaped.All(ShapingKey.MessagesPerConnection, 2)]) });
        await rig.Spool.GoneAsync(await rig.AddAsync("b@there.test"));
        Assert.Equal(2, sink.Connections);
    }

    [Fact]
    public async Task A_limit_of_one_domain_keeps_its_connections_from_others_of_the_same_exchanger()
    {
        await using var sink = new ScriptedSink();
        await using var dns = new ScriptedDns((_, type) => type switch { DnsType.Mx => ScriptedDns.Mx((10, "mx.test")), DnsType.A => ScriptedDns.A("127.0.0.1"), _ => ScriptedDns.Nothing });
        var options = ByDns(dns, sink.Port, Shaped.Domain("one.test", ShapingKey.Connections, 1));
        var delivery = new SmtpDelivery(options, clock);
        await using var rig = new DeliveryRig(options, clock, transport: delivery);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@two.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@three.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
        // One for itself, and one that the others share.
        Assert.Equal(2, sink.Connections);
        Assert.Equal(1, delivery.Connector.Places.Look("domain one.test")!.Connections);
    }

    [Fact]
    public async Task A_transaction_has_as_many_recipients_as_the_receiver_is_said_to_take_and_none_waits_for_another_attempt()
    {
        await using var sink = new ScriptedSink();
        await using var rig = Rig(To(sink.Port, Shaped.Host("127.0.0.1", ShapingKey.RecipientsPerTransaction, 4)));
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync([.. Enumerable.Range(0, 10).Select(static i => $"r{i}@there.test")]));
        Assert.Equal([2, 4, 4], sink.Messages.Select(static m => m.Recipients.Count).Order());
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
    }

    [Fact]
    public async Task Codes_that_are_said_to_mean_too_much_slow_the_host_where_they_would_be_greylisting()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply("451 4.7.1 Slow down")));
        await using var rig = Rig(To(sink.Port, Shaped.All(ShapingKey.TooMuch, ImmutableArray.Create("4.7.1"))));
        rig.Scheduler.Start();
        for (var i = 0; i < 5; i++)
            await rig.AddAsync("b@there.test");
        await UntilAsync(() => rig.Audit.Events.OfType<ServerEvent>().Any(static e => e.Event == "host_slowed"));
    }

    [Fact]
    public async Task A_host_that_fails_the_tls_that_is_owed_keeps_its_connections()
    {
        await using var sink = new ScriptedSink();
        var options = DeliveryRig.Options(new Route("*", $"smtp://127.0.0.1:{sink.Port}?tls=required"));
        var delivery = new SmtpDelivery(options, clock);
        await using var rig = new DeliveryRig(options, clock, transport: delivery);
        rig.Scheduler.Start();
        for (var i = 0; i < 3; i++)
            await rig.Spool.UpdatedAsync(await rig.AddAsync("b@there.test"), static s => s.Attempts == 1);
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Contains("TLS is required and the server does not offer STARTTLS", d.Reply, StringComparison.Ordinal));
        Assert.Equal(20, delivery.Connector.Places.Look($"[127.0.0.1]:{sink.Port}")!.Most);
    }

    /// <summary>Three things that each keep mail from the first host, at once.</summary>
    [Fact]
    public async Task A_host_that_is_full_is_waited_for_from_an_address_of_the_pool_and_its_stand_in_is_for_a_host_that_is_away()
    {
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var exchanger = new ScriptedSink(new SinkOptions { Script = (phase, _, connection) => phase == SinkPhase.EndOfData && connection == 0 ? new SinkAction.After(hold.Task) : null });
        await using var standIn = new ScriptedSink();
        await using var dns = ExchangersBelow("group.test");
        var options = ByDns(dns, exchanger.Port, Shaped.Host(".group.test", ShapingKey.Connections, 1)) with
        {
            Routes = ((RouteParse.Ok)RouteTable.Parse([new Route("*", "mx") { Pool = "p", Fallback = [$"smtp://127.0.0.1:{standIn.Port}"], FallbackAfter = TimeSpan.FromMinutes(1) }])).Table,
            Pools = new Dictionary<string, EgressPool>(StringComparer.Ordinal) { ["p"] = new("p", [new EgressSource(IPAddress.Parse("127.0.0.9"), Domain.Parse("out.test"))]) }.ToFrozenDictionary(StringComparer.Ordinal),
        };
        var delivery = new SmtpDelivery(options, clock);
        await using var rig = new DeliveryRig(options, clock, transport: delivery);
        rig.Scheduler.Start();
        var first = await rig.AddAsync("b@one.test");
        await UntilAsync(() => exchanger.Connections == 1);
        var second = await rig.AddAsync("b@two.test");
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Any(static d => d is { Name: "two.test", WaitsFor: not null }));
        // However long it is full: it is there.
        for (var i = 0; i < 60; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        Assert.Equal(0, standIn.Connections);
        hold.SetResult();
        await PassAsync(TimeSpan.FromMilliseconds(100), () => rig.Spool.Find(first) is null && rig.Spool.Find(second) is null);
        Assert.Equal(2, exchanger.Messages.Count);
        Assert.All(exchanger.Peers, static p => Assert.Equal("127.0.0.9", p.ToString()));

        // Now it is away: the stand-in has the mail after its minute, and the group's place is free again for it.
        await exchanger.DisposeAsync();
        var third = await rig.AddAsync("b@three.test");
        await rig.Spool.UpdatedAsync(third, static s => s.Attempts == 1);
        await PassAsync(TimeSpan.FromSeconds(5), () => rig.Spool.Find(third) is null);

        Assert.Single(standIn.Messages);
        await UntilAsync(() => delivery.Connector.Places.Look("mx *.group.test")!.Connections == 0);
    }

    [Fact]
    public async Task A_server_that_takes_hardly_anything_holds_a_message_as_long_as_its_rate_allows_and_not_for_days()
    {
        await using var sink = new SlowServer(octetsAtATime: 65536, TimeSpan.FromMilliseconds(20));
        var options = To(sink.Port, Shaped.All(ShapingKey.MinimumRate, 10_000_000L));
        options = options with { Timeouts = DeliveryRig.Patient with { DataBlock = TimeSpan.FromSeconds(2) } };
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();
        var content = $"Subject: large\r\n\r\n{string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 400_000))}";
        var id = await rig.Spool.AddAsync(rig.Clock, content, "a@here.test", ["b@there.test"]);
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        var told = Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>());
        Assert.Equal(DeliveryOutcome.Deferred, told.Outcome);
        Assert.Equal("the server took less than 10000000 octets a second, at sending the content", told.Reply);
    }

    [Fact]
    public async Task A_server_that_answers_each_command_just_in_time_has_the_deadline_of_a_transaction()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Trickle("250-still here\r\n"u8.ToArray(), TimeSpan.FromMilliseconds(50))));
        var options = To(sink.Port, Shaped.Host("127.0.0.1", ShapingKey.Deadline, TimeSpan.FromMilliseconds(300)));
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();
        await rig.Spool.UpdatedAsync(await rig.AddAsync("b@there.test"), static s => s.Attempts == 1);
        Assert.Equal("the transaction was not over within 0.3 s, at RCPT", Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>()).Reply);
    }

    /// <summary>Speaks SMTP up to 354, and then takes a little now and then.</summary>
    private sealed class SlowServer : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource closing = new();
        private readonly Task serving;

        public SlowServer(int octetsAtATime, TimeSpan pause)
        {
            listener.Start();
            serving = ServeAsync(octetsAtATime, pause);
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        private async Task ServeAsync(int octetsAtATime, TimeSpan pause)
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(closing.Token);
                    await using var stream = client.GetStream();
                    await stream.WriteAsync("220 slow.test\r\n"u8.ToArray(), closing.Token);
                    var reader = new StreamReader(stream);
                    while (await reader.ReadLineAsync(closing.Token) is { } line)
                    {
                        var isData = line.StartsWith("DATA", StringComparison.Ordinal);
                        await stream.WriteAsync(isData ? "354 go\r\n"u8.ToArray() : "250 ok\r\n"u8.ToArray(), closing.Token);
                        if (!isData)
                            continue;
                        var part = new byte[octetsAtATime];
                        while (await stream.ReadAsync(part, closing.Token) > 0)
                            await Task.Delay(pause, closing.Token);
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The test is over, or the client left.
            }
        }

        public async ValueTask DisposeAsync()
        {
            await closing.CancelAsync();
            listener.Dispose();
            await serving;
            closing.Dispose();
        }
    }
}
