using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Connections count by the host they lead to, whatever number of destinations it serves, and follow what it answers.</summary>
public sealed class HostPlacesTests
{
    private int open;
    private int most;

    private static ScriptedDns OneExchanger() => new((_, type) => type switch
    {
        DnsType.Mx => ScriptedDns.Mx((10, "mx.test")),
        DnsType.A => ScriptedDns.A("127.0.0.1"),
        _ => ScriptedDns.Nothing,
    });

    private static DeliveryOptions Options(ScriptedDns dns, int port) => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        MxPort = port,
        AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
    };

    [Fact]
    public async Task Four_hundred_domains_on_one_exchanger_have_the_connections_of_one_host()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Script = Count });
        await using var dns = OneExchanger();
        // Few at a time ask the resolver of the test, which loses what comes too fast.
        await using var rig = new DeliveryRig(Options(dns, sink.Port) with { IdleClose = TimeSpan.FromDays(1), Connections = 40 });
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 400; i++)
            ids.Add(await rig.AddAsync($"b@d{i}.test"));
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);

        Assert.InRange(most, 2, 20);
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
    }

    [Fact]
    public async Task A_busy_destination_leaves_the_host_to_others_in_turn()
    {
        await using var sink = new ScriptedSink();
        await using var dns = OneExchanger();
        await using var rig = new DeliveryRig(Options(dns, sink.Port) with { ConnectionsPerDestination = 1, IdleClose = TimeSpan.FromDays(1) });
        rig.Scheduler.Start();
        // Its connection waits for more, and for nothing else.
        await rig.Spool.GoneAsync(await rig.AddAsync("b@busy.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@other.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@busy.test"));
        // The others take over what it leaves.
        Assert.Equal(1, sink.Connections);
    }

    [Theory]
    [InlineData(SinkPhase.Mail, "421 4.7.0 Too many messages")]
    [InlineData(SinkPhase.Rcpt, "450 4.7.28 Rate limited")]
    public async Task A_host_that_says_it_is_too_much_has_a_connection_now_and_then_and_what_waits_is_put_off(SinkPhase phase, string reply)
    {
        var clock = new ManualClock();
        await using var sink = new ScriptedSink(SinkOptions.At(phase, new SinkAction.Reply(reply)));
        var options = DeliveryRig.Options(DeliveryRig.To("*", sink.Port));
        await using var rig = new DeliveryRig(options, clock, transport: new SmtpDelivery(options, clock));
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 200; i++)
            ids.Add(await rig.AddAsync("b@there.test"));

        await UntilAsync(() => rig.Audit.Events.OfType<ServerEvent>().Any(static e => e.Event == "host_slowed"));
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations is [{ WaitsFor: { } why }] && why.Contains(reply, StringComparison.Ordinal));
        var before = sink.Connections;
        Assert.InRange(before, 1, 2);
        // Nobody connects before a second has passed; then one does.
        clock.Advance(TimeSpan.FromSeconds(1.1));
        await UntilAsync(() => sink.Connections == before + 1);
        // When it goes on like that, everything is put off without being tried.
        await PassAsync(rig, clock, () => ids.TrueForAll(id => rig.Spool.Find(id)!.State.Attempts == 1));
        Assert.InRange(sink.Connections, 3, 6);
        Assert.Contains(rig.Audit.Events.OfType<DeliveryEvent>(), d => d.Reply == $"delivery suspended: {reply}");
    }

    [Fact]
    public async Task A_host_that_takes_some_and_then_no_more_gets_the_rest_later_and_no_attempt_is_counted_for_waiting()
    {
        var clock = new ManualClock();
        var taken = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, connection) => phase == SinkPhase.Mail && (Interlocked.Increment(ref taken), connection) is ( > 10, 0 or 1) ? new SinkAction.Reply("450 4.7.0 Enough for now") : null,
        });
        var options = DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 };
        await using var rig = new DeliveryRig(options, clock, transport: new SmtpDelivery(options, clock));
        var ids = new List<QueueId>();
        for (var i = 0; i < 40; i++)
            ids.Add(await rig.AddAsync("b@there.test"));
        rig.Scheduler.Start();

        await PassAsync(rig, clock, () => sink.Messages.Count >= 38);
        Assert.InRange(sink.Connections, 2, 4);
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal(1, d.Attempt));
    }

    [Fact]
    public async Task A_name_that_the_system_does_not_find_holds_up_no_other()
    {
        var clock = new ManualClock();
        var names = new SystemNames(clock)
        {
            Ask = static host => host == "fine.test" ? Task.FromResult<IPAddress[]>([IPAddress.Loopback]) : new TaskCompletionSource<IPAddress[]>().Task,
        };
        Task<AddressAnswer>[] hanging = [.. Enumerable.Range(0, 50).Select(i => names.FindAsync($"hangs{i % 10}.test", CancellationToken.None).AsTask())];

        Assert.IsType<AddressAnswer.Found>(await names.FindAsync("fine.test", CancellationToken.None));
        Assert.All(hanging, static task => Assert.False(task.IsCompleted));
        clock.Advance(SystemNames.Patience);
        Assert.All(await Task.WhenAll(hanging), static answer => Assert.Contains("has not found it within 10 s", Assert.IsType<AddressAnswer.Unavailable>(answer).Reason, StringComparison.Ordinal));

        // So many threads are kept from coming back, and no more.
        for (var i = 10; i < 64; i++)
            _ = names.FindAsync($"hangs{i}.test", CancellationToken.None).AsTask();
        Assert.Contains("64 other look-ups", Assert.IsType<AddressAnswer.Unavailable>(await names.FindAsync("one-more.test", CancellationToken.None)).Reason, StringComparison.Ordinal);
    }

    private SinkAction? Count(SinkPhase phase, string line, int connection)
    {
        // A connection is counted from its first word to its last.
        if (phase == SinkPhase.Ehlo)
            InterlockedMax(ref most, Interlocked.Increment(ref open));
        else if (phase == SinkPhase.Quit)
            Interlocked.Decrement(ref open);
        return null;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, seen) != seen)
        {
        }
    }

    /// <summary>Lets time pass, a second at a time, while the destination waits for that and for nothing else.</summary>
    private static Task PassAsync(DeliveryRig rig, ManualClock clock, Func<bool> isSo) => UntilAsync(() =>
    {
        if (isSo())
            return true;
        if (rig.Scheduler.Statistics().Destinations is [{ WaitsFor: not null, Connections: 0 }])
            clock.Advance(TimeSpan.FromSeconds(1));
        return false;
    });

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
            await Task.Delay(1, patience.Token);
    }
}
