using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A clock that is set releases nothing early, and gives nothing up before an attempt under the new time.</summary>
public sealed class SetClockTests
{
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    private readonly ManualClock clock = new();

    [Theory]
    [InlineData(3650, 0)]
    [InlineData(3650, -3650)]
    [InlineData(2, -1)]
    [InlineData(-30, 0)]
    public async Task A_message_for_the_future_is_not_released_by_a_clock_that_is_set(int days, int thenDays)
    {
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());
        rig.Scheduler.Start();
        var id = await rig.AddAsync(Until(TimeSpan.FromDays(3)), "ok@there.test");

        clock.Advance(TimeSpan.FromDays(1));
        clock.Set(TimeSpan.FromDays(days));
        clock.Advance(TimeSpan.FromHours(20));
        Assert.Equal(QueueCommandOutcome.Held, rig.Scheduler.RetryNow(id));
        clock.Set(TimeSpan.FromDays(thenDays));
        clock.Advance(TimeSpan.FromHours(27));
        Assert.Equal((1, 0), (rig.Scheduler.Statistics().Waiting, rig.Spool.Find(id)!.State.Attempts));
        Assert.Equal(0, rig.Scheduler.RetryNow(Smtp.Grammar.Domain.Parse("there.test"), andBelow: false, most: 10));
        Assert.Contains(rig.Audit.Events.OfType<ServerEvent>(), static e => e.Event == "clock_jumped");

        // Three days have passed, by a clock that nobody set.
        clock.Advance(TimeSpan.FromHours(2));
        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task A_start_with_a_dead_clock_that_is_set_right_later_keeps_a_hold_no_longer_than_was_asked()
    {
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());
        var id = await rig.AddAsync(Until(TimeSpan.FromDays(3)), "ok@there.test");
        clock.Set(TimeSpan.FromDays(-20_000));
        rig.Scheduler.Start();

        clock.Set(TimeSpan.FromDays(20_000));
        clock.Advance(TimeSpan.FromDays(3) + TimeSpan.FromHours(1));

        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task A_deadline_of_mode_r_that_a_set_clock_has_passed_gives_nothing_up_before_an_attempt()
    {
        var said = new List<DeliverBy?>();
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, message) =>
        {
            lock (said)
                said.Add(message.Parameters.DeliverBy);
            return Task.FromResult(new DeliveryReport([said.Count == 1 ? FakeTransport.Later : FakeTransport.Delivered], Reached: true));
        }));
        rig.Scheduler.Start();
        var id = await rig.AddAsync(e => e with { Said = e.Said with { Parameters = e.Parameters with { DeliverBy = new DeliverBy(TimeSpan.FromDays(1), IsNotify: false, IsTrace: false) } } }, "b@there.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        Assert.True(SpinWait.SpinUntil(() => rig.Scheduler.Statistics().Waiting == 1, TimeSpan.FromSeconds(20)));

        clock.Set(TimeSpan.FromDays(30));
        clock.Advance(TimeSpan.FromMinutes(2));

        await rig.Spool.GoneAsync(id);
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
        Assert.Equal(TimeSpan.FromMinutes(1), said[^1]!.Within);
    }

    [Fact]
    public async Task A_delay_is_not_told_while_nobody_knows_the_time()
    {
        var first = new TaskCompletionSource<DeliveryReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, _) => first.Task));
        rig.Scheduler.Start();
        var id = await rig.AddAsync(e => e with { Said = e.Said with { Parameters = e.Parameters with { DeliverBy = new DeliverBy(TimeSpan.FromDays(1), IsNotify: true, IsTrace: false) } } }, "b@there.test");

        clock.Set(TimeSpan.FromDays(30));
        var stored = rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        first.SetResult(new DeliveryReport([FakeTransport.Later], Reached: true));

        Assert.Equal(DelayReports.None, (await stored).Reported);
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    [Fact]
    public async Task A_start_before_the_newest_event_is_told()
    {
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());

        rig.Scheduler.Start(clock.GetUtcNow() + TimeSpan.FromDays(2));

        Assert.Contains(rig.Audit.Events.OfType<ServerEvent>(), static e => e.Event == "clock_jumped" && e.Detail.StartsWith("the clock stands before the newest event in the log", StringComparison.Ordinal));
    }

    private static Func<Envelope, Envelope> Until(TimeSpan after) => e => e with { Said = e.Said with { Parameters = new MailParameters { HoldUntil = e.ArrivedAt + after } } };
}
