using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Destinations that take a connection and say nothing cost what they hold, and never what living ones need.</summary>
public sealed class HangingDestinationsTests
{
    private static readonly DeliveryOptions Options = DeliveryRig.Options() with { Routes = RouteTable.Mx, Connections = 20, ConnectionsTried = 60 };

    private readonly ConcurrentDictionary<string, int> hanging = new(StringComparer.Ordinal);
    private TaskCompletionSource answers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private int Hanging => hanging.Values.Sum();

    [Fact]
    public async Task Living_mail_goes_on_while_three_times_as_many_destinations_hang_as_there_are_places()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(Options, clock, transport: DeadHangs());
        rig.Scheduler.Start();
        for (var i = 0; i < 60; i++)
        {
            await rig.AddAsync($"a@dead{i}.test");
            await rig.AddAsync($"b@dead{i}.test");
        }

        // A quarter of the places is for those that answered before.
        await UntilAsync(() => Hanging == 15);
        var live = await rig.AddAsync("a@live.test");
        // The places of those that hang are free after a moment, and mail waits no longer than that.
        await PassAsync(clock, () => rig.Spool.Find(live) is null);
        await PassAsync(clock, () => Hanging == 60);
        for (var i = 0; i < 50; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"a{i}@live.test"));
        // To one that has not answered yet there is one connection, whatever waits for it.
        Assert.All(hanging.Values, static count => Assert.Equal(1, count));
        answers.SetResult();
    }

    /// <summary>Its host has one connection at most for a while, and that one hangs: nothing comes that would have it looked at again, but time.</summary>
    [Fact]
    public async Task What_was_turned_away_beside_a_connection_that_hangs_is_looked_at_again()
    {
        var clock = new ManualClock();
        var (turns, isFull) = (0, true);
        var transport = new FakeTransport(async (_, message) =>
        {
            switch (message.Recipients[0].LocalPart)
            {
                case "hangs":
                    await answers.Task;
                    break;
                case "waits" when isFull:
                    Interlocked.Increment(ref turns);
                    return new DeliveryReport([FakeTransport.Later], Reached: false) { Turn = new Full() };
            }

            return new DeliveryReport([FakeTransport.Delivered], Reached: true);
        });
        await using var rig = new DeliveryRig(Options with { IdleClose = TimeSpan.FromDays(1) }, clock, transport: transport);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("first@live.test"));
        await rig.AddAsync("hangs@live.test");
        await UntilAsync(() => transport.Attempts.Count == 2);
        var waits = await rig.AddAsync("waits@live.test");
        await PassAsync(clock, () => turns > 0);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Any(static d => d.WaitsFor == Full.Words));

        isFull = false;
        await PassAsync(clock, () => rig.Spool.Find(waits) is null);
        answers.SetResult();
    }

    [Fact]
    public async Task Who_answered_before_waits_for_no_place_however_many_hang()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(Options with { ConnectionsTried = 10 }, clock, transport: DeadHangs());
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("a@live.test"));
        clock.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 100; i++)
            await rig.AddAsync($"a@dead{i}.test");
        await PassAsync(clock, () => Hanging == 25);

        // Time stands still: nothing is waited for.
        for (var i = 0; i < 50; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"a{i}@live.test"));
        Assert.Equal(25, Hanging);
        answers.SetResult();
    }

    [Fact]
    public async Task Those_that_did_not_answer_have_half_of_the_places_however_many_they_are()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(Options with { ConnectionsTried = 10 }, clock, transport: DeadHangs());
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 100; i++)
            ids.Add(await rig.AddAsync($"a@dead{i}.test"));
        await PassAsync(clock, () => Hanging == 25);
        answers.SetResult();
        await PassAsync(clock, () => ids.TrueForAll(id => rig.Spool.Find(id)!.State.Attempts > 0) && rig.Scheduler.Statistics() is { Active: 0, Destinations.Length: 0 });

        // They are known now; all are tried once more, and hang again.
        answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var id in ids)
            await rig.Scheduler.RetryNowAsync(id, Ct);
        await PassAsync(clock, () => Hanging == 20);
        for (var i = 0; i < 50; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"a{i}@live.test"));
        Assert.Equal(20, Hanging);
        answers.SetResult();
    }

    [Fact]
    public async Task Mail_that_was_tried_before_makes_no_connection_to_where_nobody_was_a_moment_ago()
    {
        var clock = new ManualClock();
        var transport = new FakeTransport(static (_, message) => Task.FromResult(new DeliveryReport(
            [.. message.Recipients.Select(static _ => new Outcome.Deferred("dead", "connect: refused", Tls: null) { IsUnreachable = true })], Reached: false)));
        await using var rig = new DeliveryRig(Options, clock, transport: transport);
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 50; i++)
            ids.Add(await rig.AddAsync("a@dead.test"));
        await UntilAsync(() => ids.TrueForAll(id => rig.Spool.Find(id)!.State.Attempts == 1) && rig.Scheduler.Statistics().Active == 0 && rig.Scheduler.DestinationsAway == 1);
        var (attempts, lanes) = (transport.Attempts.Count, transport.Lanes);

        // Somebody looks after 15 and after 45 s; the messages are due after a minute.
        foreach (var (seconds, probes) in new[] { (16, 1), (31, 2) })
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            await UntilAsync(() => transport.Probes == probes && rig.Scheduler.ProbesUnderWay == 0);
        }

        clock.Advance(TimeSpan.FromSeconds(20));
        await UntilAsync(() => ids.TrueForAll(id => rig.Spool.Find(id)!.State.Attempts == 2) && rig.Scheduler.Statistics().Active == 0);
        Assert.Equal(attempts, transport.Attempts.Count);
        Assert.Equal(lanes, transport.Lanes - transport.Probes);
        Assert.All(ids, id => Assert.Equal("delivery suspended: connect: refused", rig.Spool.Find(id)!.State.Recipients[0].LastReply));

        // An operator wants to see it tried.
        await rig.Scheduler.RetryNowAsync(ids[0], Ct);
        await UntilAsync(() => rig.Spool.Find(ids[0])!.State.Attempts == 3);
        Assert.Equal(attempts + 1, transport.Attempts.Count);
    }

    [Fact]
    public async Task Who_waits_while_every_place_hangs_has_one_of_those_that_hang_longest()
    {
        var clock = new ManualClock();
        var transport = new FakeTransport(async (hop, message) =>
        {
            if (!hop.Name.StartsWith("dead", StringComparison.Ordinal))
                return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
            await Task.Delay(Timeout.Infinite, message.Revoked);
            return default;
        });
        await using var rig = new DeliveryRig(Options with { ConnectionsTried = 10 }, clock, transport: transport);
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 25; i++)
            ids.Add(await rig.AddAsync($"a@dead{i}.test"));
        await PassAsync(clock, () => transport.Attempts.Count == 25);

        var live = await rig.AddAsync("a@live.test");
        await PassAsync(clock, () => rig.Spool.Find(live) is null);
        await UntilAsync(() => ids.Exists(id => rig.Spool.Find(id)!.State.Attempts == 1));
        Assert.StartsWith(
            "no answer within 10 s, and too many other destinations wait",
            ids.Select(id => rig.Spool.Find(id)!.State).First(static s => s.Attempts == 1).Recipients[0].LastReply,
            StringComparison.Ordinal);
        Assert.InRange(ids.Count(id => rig.Spool.Find(id)!.State.Attempts > 0), 1, 2);
    }

    /// <summary>There is far more of it than may be at work at all.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task However_much_waits_for_the_dead_there_is_room_for_living_mail(int attempts)
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(Options with { MessagesAtWork = 40 }, clock, transport: DeadHangs());
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("a@live.test"));
        for (var i = 0; i < 300; i++)
            await rig.AddAsync(envelope => envelope, state => state with { Attempts = attempts }, $"a@dead{i % 100}.test");
        await PassAsync(clock, () => Hanging > 10 && rig.Scheduler.Statistics().Active >= 20);
        for (var i = 0; i < 50; i++)
        {
            var live = await rig.AddAsync("a@live.test");
            await PassAsync(clock, () => rig.Spool.Find(live) is null);
        }

        Assert.InRange(rig.Scheduler.Statistics().Active, 20, 30);
        answers.SetResult();
    }

    /// <summary>Mail that waited for room is put off by the thousand, once its destinations are known to be dead.</summary>
    [Fact]
    public async Task New_mail_comes_in_between_while_what_waited_for_room_is_put_off()
    {
        const int Dead = 5_000;
        var clock = new ManualClock();
        var transport = new FakeTransport(async (hop, message) =>
        {
            if (hop.Name == "live.test")
                return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
            await answers.Task;
            return new DeliveryReport(
                [.. message.Recipients.Select(static _ => new Outcome.Deferred("dead", "connect: refused", Tls: null) { IsUnreachable = true })], Reached: false);
        });
        await using var rig = new DeliveryRig(Options with { MessagesAtWork = 1_000, MessagesAtWorkPerDestination = 10_000 }, clock, transport: transport);
        for (var i = 0; i < Dead; i++)
            await rig.AddAsync(static envelope => envelope, static state => state with { Attempts = 1 }, $"a@dead{i % 10}.test");
        var (live, addedAt) = (default(QueueId), 0);
        rig.Spool.BeforeUpdate = async _ =>
        {
            if (addedAt != 0 || rig.Spool.Updates < 1_000)
                return;
            addedAt = rig.Spool.Claimed.Count;
            live = await rig.AddAsync("a@live.test");
        };
        rig.Scheduler.Start();
        await UntilAsync(() => transport.Attempts.Count == 10);
        answers.SetResult();
        await PassAsync(clock, () => rig.Spool.Updates >= Dead && rig.Spool.Find(live) is null);

        Assert.InRange(rig.Spool.Claimed.ToList().IndexOf(live) - addedAt, 0, 1_024);
    }

    [Fact]
    public async Task Where_mail_waits_for_room_the_connections_that_hang_are_ended_and_all_of_it_has_its_turn()
    {
        var clock = new ManualClock();
        var transport = new FakeTransport(async (_, message) =>
        {
            await Task.Delay(Timeout.Infinite, message.Revoked);
            return default;
        });
        await using var rig = new DeliveryRig(Options with { MessagesAtWork = 40 }, clock, transport: transport);
        var ids = new List<QueueId>();
        for (var i = 0; i < 100; i++)
            ids.Add(await rig.AddAsync(static envelope => envelope, static state => state with { Attempts = 1 }, $"a@dead{i}.test"));
        rig.Scheduler.Start();
        await PassAsync(clock, () => ids.TrueForAll(id => rig.Spool.Find(id)!.State.Attempts > 1));

        Assert.EndsWith(
            "no answer within 30 s, and too many other destinations wait that may answer",
            rig.Spool.Find(ids[0])!.State.Recipients[0].LastReply,
            StringComparison.Ordinal);
        Assert.Equal(100, transport.Attempts.Select(static a => a.Hop.Name).Distinct().Count());
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    /// <summary>After a start nobody knows who answers; what never failed comes first.</summary>
    [Fact]
    public async Task New_mail_has_a_connection_before_what_has_failed_before()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(Options with { ConnectionsTried = 1 }, clock, transport: DeadHangs());
        for (var i = 0; i < 100; i++)
            await rig.AddAsync(static envelope => envelope, static state => state with { Attempts = 1 }, $"a@dead{i}.test");

        rig.Scheduler.Start();
        await UntilAsync(() => Hanging == 10);
        // Time stands still.
        for (var i = 0; i < 20; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"a@live{i}.test"));
        Assert.Equal(10, Hanging);
        answers.SetResult();
    }

    [Fact]
    public async Task A_connection_that_waits_for_more_ends_when_another_destination_needs_its_place()
    {
        await using var rig = new DeliveryRig(Options with { Connections = 3, IdleClose = TimeSpan.FromDays(1) }, transport: DeadHangs());
        rig.Scheduler.Start();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 20; i++)
                await rig.Spool.GoneAsync(await rig.AddAsync($"a@live{i}.test"));
        }

        await Task.WhenAll((await Task.WhenAll(Enumerable.Range(0, 100).Select(i => rig.AddAsync($"b@live{i % 50}.test")))).Select(rig.Spool.GoneAsync));
        Assert.InRange(rig.Scheduler.Statistics().Destinations.Sum(static d => d.Connections), 1, 3);
    }

    [Fact]
    public async Task A_destination_without_a_connection_has_one_of_those_of_a_busy_one()
    {
        var permits = new SemaphoreSlim(0);
        var transport = new FakeTransport(async (hop, message) =>
        {
            if (hop.Name == "busy.test")
                await permits.WaitAsync(Ct);
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        });
        await using var rig = new DeliveryRig(Options with { Connections = 3, GrowthDelay = TimeSpan.FromMilliseconds(1) }, transport: transport);
        rig.Scheduler.Start();
        permits.Release();
        await rig.Spool.GoneAsync(await rig.AddAsync("a@busy.test"));
        for (var i = 0; i < 100; i++)
            await rig.AddAsync("a@busy.test");
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Single(static d => d.Name == "busy.test").Connections == 3);

        var other = await rig.AddAsync("a@other.test");
        permits.Release(3);
        await rig.Spool.GoneAsync(other);
        permits.Release(200);
    }

    [Fact]
    public async Task A_message_on_which_a_hop_hangs_holds_no_other()
    {
        var first = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("hangs@", StringComparison.Ordinal) && Interlocked.Increment(ref first) == 1 ? new SinkAction.Stall([]) : null,
        });
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)), clock);
        var hangs = await rig.AddAsync("hangs@live.test");
        var others = new List<QueueId>();
        for (var i = 0; i < 8; i++)
            others.Add(await rig.AddAsync($"a{i}@live.test"));
        rig.Scheduler.Start();

        await PassAsync(clock, () => others.TrueForAll(id => rig.Spool.Find(id) is null));

        Assert.Equal(8, sink.Messages.Count);
        Assert.NotNull(rig.Spool.Find(hangs));
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    /// <summary>More destinations than places, and every message takes as long as a turn: a connection is still not made for each of them.</summary>
    [Fact]
    public async Task A_connection_carries_what_little_waits_for_its_destination_before_another_has_its_place()
    {
        var clock = new ManualClock();
        var transport = new FakeTransport(async (_, message) =>
        {
            await answers.Task;
            clock.Advance(TimeSpan.FromMilliseconds(60));
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        });
        await using var rig = new DeliveryRig(Options, clock, transport: transport);
        for (var i = 0; i < 500; i++)
            await rig.AddAsync($"a{i}@d{i % 100}.test");
        rig.Scheduler.Start();
        // Time that passes while the rest is still being claimed would end connections that have nothing to carry yet.
        await UntilAsync(() => rig.Scheduler.Statistics().Active == 500);
        answers.SetResult();
        await UntilAsync(() => rig.Spool.Count == 0);

        Assert.Equal(500, transport.Attempts.Count);
        Assert.InRange(transport.Lanes, 100, 200);
    }

    /// <summary>The real transport, and a thousand hosts that take the connection and are silent.</summary>
    [Fact]
    public async Task A_thousand_silent_hosts_hold_up_nobody()
    {
        await using var sink = new ScriptedSink();
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Any, 0));
        silent.Listen(2_000);
        var port = ((IPEndPoint)silent.LocalEndPoint!).Port;
        List<Route> routes = [.. Enumerable.Range(0, 1_000).Select(i => new Route($"dead{i}.test", $"smtp://127.1.{i / 250}.{1 + (i % 250)}:{port}?tls=none"))];
        routes.Add(DeliveryRig.To("live.test", sink.Port));
        await using var rig = new DeliveryRig(DeliveryRig.Options([.. routes]));
        rig.Scheduler.Start();
        for (var i = 0; i < 1_000; i++)
            await rig.AddAsync($"a@dead{i}.test");
        for (var i = 0; i < 20; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"a{i}@live.test"));
        Assert.Equal(20, sink.Messages.Count);
        Assert.Equal(1_000, rig.Spool.Count);
    }

    private FakeTransport DeadHangs() => new(async (hop, message) =>
    {
        if (!hop.Name.StartsWith("dead", StringComparison.Ordinal))
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        hanging.AddOrUpdate(hop.Name, 1, static (_, count) => count + 1);
        await answers.Task;
        hanging.AddOrUpdate(hop.Name, 0, static (_, count) => count - 1);
        return new DeliveryReport([new Outcome.Deferred("dead", "greeting: timed out", Tls: null) { IsUnreachable = true }], Reached: false);
    });

    /// <summary>Lets time pass, a patience at a time.</summary>
    private static Task PassAsync(ManualClock clock, Func<bool> isSo) => UntilAsync(() =>
    {
        if (isSo())
            return true;
        clock.Advance(LaneBudget.Patience);
        return false;
    });

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!isSo())
            await Task.Delay(1, patience.Token);
    }

    private sealed class Full : IHostTurn
    {
        public const string Words = "the host has one connection at most";

        public string Why => Words;

        public void Await(NextHop hop, Func<bool> call)
        {
        }
    }
}
