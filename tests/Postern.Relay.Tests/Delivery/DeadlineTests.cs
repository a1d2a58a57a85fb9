using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>The times that a sender sets: DELIVERBY (RFC 2852) and FUTURERELEASE (RFC 4865).</summary>
public sealed class DeadlineTests
{
    // Reports hang, and have a hop of their own: behind them a message would wait for the second in which it gets another connection.
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"), new Route("here.test", "smtp://reports.test"));

    private readonly ManualClock clock = new();

    private DeliveryRig Rig(Outcome answer) => new(ToFake, clock, transport: new FakeTransport(async (_, message) =>
    {
        if (message.Sender.IsNull)
            await Task.Delay(Timeout.Infinite);
        return new DeliveryReport([answer], Reached: true);
    }));

    private static Func<Envelope, Envelope> By(TimeSpan within, bool isNotify, bool isTrace = false) =>
        e => e with { Said = e.Said with { Parameters = e.Parameters with { DeliverBy = new DeliverBy(within, isNotify, isTrace) } } };

    private async Task<DeliveryState> AttemptedAsync(DeliveryRig rig, QueueId id, int attempts)
    {
        var state = await rig.Spool.UpdatedAsync(id, s => s.Attempts == attempts);
        while (rig.Scheduler.Statistics().Waiting == 0)
            await Task.Yield();
        return state;
    }

    [Fact]
    public async Task At_the_deadline_of_mode_r_the_message_is_given_up()
    {
        await using var rig = Rig(FakeTransport.Later);
        rig.Scheduler.Start();
        var id = await rig.AddAsync(By(TimeSpan.FromSeconds(90), isNotify: false), "later@there.test");
        clock.Advance((await AttemptedAsync(rig, id, attempts: 1)).NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        var state = await AttemptedAsync(rig, id, attempts: 2);
        Assert.Equal(rig.Spool.Find(id)!.Envelope.ArrivedAt + TimeSpan.FromSeconds(90), state.NextAttempt);
        clock.Advance(state.NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        await rig.Spool.GoneAsync(id);
        var bounce = await rig.Audit.NextAsync<BounceEvent>();
        Assert.True(QueueId.TryParse(bounce.BounceId, out var report));
        Assert.Contains("\r\nAction: failed\r\nStatus: 5.4.7\r\n", rig.Spool.Text(report), StringComparison.Ordinal);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task At_the_deadline_of_mode_n_the_sender_is_told_once_and_the_message_is_tried_on()
    {
        await using var rig = Rig(FakeTransport.Later);
        rig.Scheduler.Start();
        var id = await rig.AddAsync(By(TimeSpan.FromSeconds(10), isNotify: true), "later@there.test");
        for (var attempt = 1; attempt <= 3; attempt++)
            clock.Advance((await AttemptedAsync(rig, id, attempt)).NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        await AttemptedAsync(rig, id, attempts: 4);
        var bounce = Assert.Single(rig.Audit.Events.OfType<BounceEvent>());
        Assert.True(QueueId.TryParse(bounce.BounceId, out var report));
        Assert.Contains("\r\nAction: delayed\r\nStatus: 4.4.7\r\n", rig.Spool.Text(report), StringComparison.Ordinal);
        Assert.Equal(DelayReports.Overdue, rig.Spool.Find(id)!.State.Reported);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    [Theory]
    [InlineData(false, true, true, true)]           // the trace goes on, and is reported here
    [InlineData(true, false, false, true)]          // the next hop knows no deadline: the sender must hear
    [InlineData(true, false, true, false)]
    public async Task A_message_passed_on_is_reported_as_the_deadline_asks(bool isNotify, bool isTrace, bool takes, bool isReported)
    {
        await using var rig = Rig(new Outcome.Delivered("fake", "250 2.0.0 Ok", Tls: null) { TakesDeliverBy = takes, TakesDsn = true });
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync(By(TimeSpan.FromHours(1), isNotify, isTrace), "ok@there.test"));
        Assert.Equal(isReported ? 1 : 0, rig.Audit.Events.OfType<BounceEvent>().Count(static b => b.BounceId is not null));
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_message_for_the_future_waits_and_its_time_in_the_queue_begins_then()
    {
        await using var rig = Rig(FakeTransport.Later);
        rig.Scheduler.Start();
        var release = clock.GetUtcNow() + TimeSpan.FromDays(10);
        var id = await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { HoldUntil = release } } }, "later@there.test");
        Assert.Equal((1, 0), (rig.Scheduler.Statistics().Waiting, rig.Spool.Find(id)!.State.Attempts));
        clock.Advance(TimeSpan.FromDays(10) - TimeSpan.FromMinutes(1));
        Assert.Equal(1, rig.Scheduler.Statistics().Waiting);
        clock.Advance(TimeSpan.FromMinutes(1) + TimeSpan.FromSeconds(1));
        var state = await AttemptedAsync(rig, id, attempts: 1);
        Assert.Equal(RecipientStatus.Pending, state.Recipients[0].Status);
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    /// <summary>RFC 4865 §4: it is not released before, and that is all. A client whose clock is late loses no mail.</summary>
    [Fact]
    public async Task A_message_until_a_time_that_has_passed_is_sent_at_once_and_its_time_begins_with_its_arrival()
    {
        await using var rig = Rig(FakeTransport.Later);
        rig.Scheduler.Start();
        var arrived = clock.GetUtcNow();
        var id = await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { HoldUntil = arrived.AddDays(-30) } } }, "later@there.test");
        var state = await AttemptedAsync(rig, id, attempts: 1);
        Assert.InRange(state.NextAttempt, arrived, arrived.AddMinutes(5));
        Assert.Equal(arrived, rig.Spool.Find(id)!.Envelope.ReleasedAt);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task An_operator_may_release_a_message_for_the_future_earlier_and_a_retry_leaves_it()
    {
        await using var rig = Rig(FakeTransport.Delivered);
        rig.Scheduler.Start();
        var id = await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { HoldUntil = clock.GetUtcNow() + TimeSpan.FromDays(1) } } }, "ok@there.test");
        Assert.Equal(QueueCommandOutcome.Held, rig.Scheduler.RetryNow(id));
        Assert.NotNull(rig.Spool.Find(id));
        Assert.Equal(QueueCommandOutcome.Done, await rig.Scheduler.ReleaseAsync(id, CancellationToken.None));
        await rig.Spool.GoneAsync(id);
    }

    /// <summary>An operator who holds a whole domain and lets it go again has not sent off what was meant for the future.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_for_the_future_that_was_held_still_waits_for_its_time_when_it_is_released(bool isRunning)
    {
        await using var rig = Rig(FakeTransport.Delivered);
        var release = clock.GetUtcNow() + TimeSpan.FromDays(1);
        var id = await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { HoldUntil = release } } }, "ok@there.test");
        if (isRunning)
            rig.Scheduler.Start();
        IQueueControl control = isRunning ? new SchedulerQueueControl(rig.Scheduler, rig.Spool) : new SpoolQueueControl(rig.Spool, clock);
        Assert.True(await control.HoldAsync(id, CancellationToken.None));
        Assert.True(await control.ReleaseAsync(id, CancellationToken.None));
        var state = rig.Spool.Find(id)!.State;
        Assert.Equal((false, release), (state.Held, state.NextAttempt));
        if (!isRunning)
            rig.Scheduler.Start();
        Assert.Equal(1, rig.Scheduler.Statistics().Waiting);
    }
}
