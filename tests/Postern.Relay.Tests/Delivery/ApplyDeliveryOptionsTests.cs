using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>New settings while the scheduler runs: they count at once, and no message is lost or sent twice for it.</summary>
public sealed class ApplyDeliveryOptionsTests
{
    private static readonly DeliveryOptions ToOld = DeliveryRig.Options(new Route("*", "smtp://old.test")) with { ConnectionsPerDestination = 1 };

    private static readonly DeliveryOptions ToNew = ToOld with { Routes = DeliveryRig.Options(new Route("*", "smtp://new.test")).Routes };

    private static readonly RetrySchedule Hourly = RetrySchedule.Default with { First = TimeSpan.FromHours(1), Most = TimeSpan.FromHours(1), Greylisted = TimeSpan.FromHours(1) };

    private readonly TaskCompletionSource oldAnswers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TaskCompletionSource? warm;

    private FakeTransport SlowOld() => new(async (hop, message) =>
    {
        if (message.Recipients[0].LocalPart == "warm")
            await warm!.Task;
        else if (hop.Name == "old.test:25")
            await oldAnswers.Task;
        return new DeliveryReport([.. message.Recipients.Select(r => r.LocalPart.StartsWith("later", StringComparison.Ordinal) ? FakeTransport.Later : FakeTransport.Delivered)], Reached: true);
    });

    [Fact]
    public async Task A_changed_route_takes_its_waiting_mail_with_it_and_what_is_being_sent_comes_to_its_end()
    {
        var transport = SlowOld();
        await using var rig = new DeliveryRig(ToOld, new ManualClock(), transport: transport);
        rig.Scheduler.Start();
        var ids = await FillAsync(rig, transport, 10);

        rig.Scheduler.Apply(ToNew);
        foreach (var id in ids[2..])
            await rig.Spool.GoneAsync(id);
        oldAnswers.SetResult();
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);

        Assert.Equal(11, transport.Attempts.Count);
        Assert.Equal(11, transport.Attempts.SelectMany(static a => a.Recipients).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(3, transport.Attempts.Count(static a => a.Hop.Name == "old.test:25"));
    }

    [Fact]
    public async Task Recipients_that_shared_a_next_hop_part_where_their_routes_do()
    {
        var transport = SlowOld();
        await using var rig = new DeliveryRig(ToOld, new ManualClock(), transport: transport);
        rig.Scheduler.Start();
        await FillAsync(rig, transport, 2);
        var id = await rig.AddAsync("ok@a.test", "ok@b.test", "ok2@a.test");

        rig.Scheduler.Apply(ToOld with { Routes = DeliveryRig.Options(new Route("a.test", "smtp://a.next.test"), new Route("*", "smtp://new.test")).Routes });
        await rig.Spool.GoneAsync(id);

        Assert.Contains(transport.Attempts, static a => a.Hop.Name == "a.next.test:25" && a.Recipients.SequenceEqual(["ok@a.test", "ok2@a.test"]));
        Assert.Contains(transport.Attempts, static a => a.Hop.Name == "new.test:25" && a.Recipients.SequenceEqual(["ok@b.test"]));
        oldAnswers.SetResult();
    }

    [Fact]
    public async Task What_waits_for_its_time_keeps_it_and_goes_by_the_new_route_then()
    {
        var clock = new ManualClock();
        var transport = SlowOld();
        oldAnswers.SetResult();
        await using var rig = new DeliveryRig(ToOld with { Retry = Hourly }, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test");
        var before = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        await UntilAsync(() => rig.Scheduler.Statistics().Waiting == 1);

        // A shorter schedule is for the attempts that follow: all at once is what nobody wants.
        rig.Scheduler.Apply(ToNew with { Retry = RetrySchedule.Default with { First = TimeSpan.FromMinutes(1), Most = TimeSpan.FromMinutes(1) } });
        clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Single(transport.Attempts);

        clock.Advance(before.NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        var after = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 2);
        Assert.Equal(["old.test:25", "new.test:25"], transport.Attempts.Select(static a => a.Hop.Name));
        Assert.InRange(after.NextAttempt - clock.GetUtcNow(), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Without_a_route_mail_is_parked_and_goes_once_when_there_is_one_again()
    {
        var clock = new ManualClock();
        var transport = SlowOld();
        await using var rig = new DeliveryRig(ToOld with { Retry = Hourly }, clock, transport: transport);
        rig.Scheduler.Start();
        var ids = await FillAsync(rig, transport, 6);

        rig.Scheduler.Apply(ToOld with { Routes = RouteTable.Hold });
        await UntilAsync(() => rig.Scheduler.Statistics().Parked == 4);
        oldAnswers.SetResult();
        await rig.Spool.GoneAsync(ids[0]);
        await rig.Spool.GoneAsync(ids[1]);
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(3, transport.Attempts.Count);
        Assert.All(ids[2..], id => Assert.Equal(0, rig.Spool.Find(id)!.State.Attempts));

        rig.Scheduler.Apply(ToNew);
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
        Assert.Equal(7, transport.Attempts.Count);
        Assert.Equal(4, transport.Attempts.Count(static a => a.Hop.Name == "new.test:25"));
    }

    [Fact]
    public async Task A_recipient_whose_route_is_gone_stays_pending_while_the_others_come_to_their_end()
    {
        var transport = SlowOld();
        var routes = DeliveryRig.Options(new Route("slow.test", "smtp://old.test"), new Route("*", "smtp://new.test")).Routes;
        await using var rig = new DeliveryRig(ToOld with { Routes = routes }, transport: transport);
        rig.Scheduler.Start();
        await FillAsync(rig, transport, 2, "slow.test");
        var id = await rig.AddAsync("ok@slow.test", "ok@fast.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Recipients[1].Status == Relay.Spool.RecipientStatus.Delivered);

        rig.Scheduler.Apply(ToOld with { Routes = RouteTable.Hold });
        var state = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        Assert.Equal(Relay.Spool.RecipientStatus.Pending, state.Recipients[0].Status);

        rig.Scheduler.Apply(ToNew);
        await UntilAsync(() => rig.Scheduler.Statistics().Waiting == 1);
        Assert.Equal(QueueCommandOutcome.Done, rig.Scheduler.RetryNow(id));
        await rig.Spool.GoneAsync(id);
        Assert.Single(transport.Attempts, static a => a.Recipients.Contains("ok@fast.test"));
        oldAnswers.SetResult();
    }

    [Fact]
    public async Task A_next_hop_that_stays_keeps_its_connection()
    {
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToOld with { IdleClose = TimeSpan.FromMinutes(10) }, transport: transport);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("ok@there.test"));
        // The same meaning, read again from a file.
        rig.Scheduler.Apply(DeliveryRig.Options(new Route("there.test", "smtp://old.test"), new Route("*", "smtp://new.test")) with { ConnectionsPerDestination = 1, IdleClose = TimeSpan.FromMinutes(10) });
        await rig.Spool.GoneAsync(await rig.AddAsync("ok@there.test"));
        Assert.Equal(2, transport.Attempts.Count);
        Assert.Equal(1, transport.Lanes);
    }

    [Fact]
    public async Task Limits_of_connections_count_at_once_up_and_down()
    {
        var permits = new SemaphoreSlim(0);
        var (atOnce, most) = (0, 0);
        var transport = new FakeTransport(async (_, message) =>
        {
            var now = Interlocked.Increment(ref atOnce);
            InterlockedMax(ref most, now);
            await permits.WaitAsync();
            Interlocked.Decrement(ref atOnce);
            return new DeliveryReport([FakeTransport.Delivered], Reached: true);
        });
        await using var rig = new DeliveryRig(ToOld with { GrowthDelay = TimeSpan.Zero }, transport: transport);
        rig.Scheduler.Start();
        var ids = await AddAsync(rig, 60);
        await UntilAsync(() => Volatile.Read(ref atOnce) == 1);
        Assert.Equal(1, rig.Scheduler.Statistics().Destinations[0].Connections);

        rig.Scheduler.Apply(ToOld with { GrowthDelay = TimeSpan.Zero, ConnectionsPerDestination = 3 });
        permits.Release();
        await UntilAsync(() => Volatile.Read(ref atOnce) == 3);

        rig.Scheduler.Apply(ToOld with { GrowthDelay = TimeSpan.Zero, ConnectionsPerDestination = 3, Connections = 1 });
        permits.Release(3);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations[0].Connections == 1 && Volatile.Read(ref atOnce) == 1);
        permits.Release(60);
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
        Assert.Equal(60, transport.Attempts.Count);
        Assert.Equal(3, most);
    }

    [Fact]
    public async Task Settings_that_change_all_the_time_lose_nothing_and_send_nothing_twice()
    {
        var transport = new FakeTransport(async (_, message) =>
        {
            await Task.Yield();
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        });
        await using var rig = new DeliveryRig(ToOld, new ManualClock(), transport: transport);
        rig.Scheduler.Start();
        DeliveryOptions[] settings = [ToOld, ToNew, ToNew with { Routes = RouteTable.Hold }, ToOld with { ConnectionsPerDestination = 4, Connections = 2 }, ToNew with { Connections = 1 }];
        var adding = Task.Run(() => AddAsync(rig, 500));
        for (var i = 0; !adding.IsCompleted || i < 200; i++)
        {
            rig.Scheduler.Apply(settings[i % settings.Length]);
            await Task.Yield();
        }

        rig.Scheduler.Apply(ToNew);
        foreach (var id in await adding)
            await rig.Spool.GoneAsync(id);
        Assert.Equal(500, transport.Attempts.Count);
    }

    private static async Task<List<QueueId>> AddAsync(DeliveryRig rig, int count, string domain = "there.test")
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < count; i++)
            ids.Add(await rig.AddAsync($"ok{i}@{domain}"));
        return ids;
    }

    /// <summary>
    /// The first of them is under way, and the lane has taken the one behind it: both stood in line when it came to them, for a message
    /// before them kept it until then.
    /// </summary>
    private async Task<List<QueueId>> FillAsync(DeliveryRig rig, FakeTransport transport, int count, string domain = "there.test")
    {
        warm = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = await rig.AddAsync($"warm@{domain}");
        await UntilAsync(() => transport.Attempts.Count == 1);
        var ids = await AddAsync(rig, count, domain);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Sum(static d => d.Waiting) == count);
        warm.SetResult();
        await rig.Spool.GoneAsync(first);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Sum(static d => d.Waiting) == count - 2);
        return ids;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, seen) != seen)
        {
        }
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
            await Task.Delay(1, patience.Token);
    }
}
