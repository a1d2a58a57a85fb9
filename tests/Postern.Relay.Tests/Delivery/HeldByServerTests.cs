using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>What fails here time after time is held by the server: told once, counted, and not for ever.</summary>
public sealed class HeldByServerTests
{
    private const string Postmaster = "postmaster@relay.test";

    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test")) with { InternalErrorsBeforeHold = 1 };

    private static readonly TimeSpan GiveUp = RetrySchedule.Default.GiveUp;

    [Fact]
    public async Task A_held_message_is_reported_to_postmaster_once_and_counted()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: Poison(static () => new InvalidOperationException("poison\r\nX-Forged: yes")));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Held);

        Assert.Equal((clock.GetUtcNow(), clock.GetUtcNow() + GiveUp), (state.HeldByServerAt, state.NextAttempt));
        var notice = Assert.Single(rig.Spool.List(), static e => e.Envelope.Recipients[0].Address == Postmaster).Envelope;
        Assert.True(notice.Sender.IsNull);
        var text = rig.Spool.Text(notice.Id);
        Assert.Contains($"Message {id} is held after errors of this server", text, StringComparison.Ordinal);
        Assert.Contains("Error:     internal error: poison??X-Forged: yes\r\n", text, StringComparison.Ordinal);
        Assert.Contains("Held now:  1 messages", text, StringComparison.Ordinal);
        await HeldAsync(rig, 1);
        Assert.Equal((1, 1), (rig.Scheduler.Statistics().Held, rig.Scheduler.Statistics().HeldByServer));
        Assert.Single(rig.Audit.Events.OfType<ServerEvent>(), e => e.Event == "message_held" && e.Detail.StartsWith($"{id}: ", StringComparison.Ordinal));
        Assert.Equal("held (errors here)", (await new QueueQueries(rig.Spool).FindAsync(id, TestContext.Current.CancellationToken))!.State);
    }

    [Fact]
    public async Task A_hold_of_the_server_ends_with_a_last_attempt_and_a_bounce()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: Poison());
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");
        await HeldAsync(rig, 1);

        Pass(clock, GiveUp + TimeSpan.FromHours(1));
        await rig.Spool.GoneAsync(id);

        var report = Assert.Single(rig.Audit.Events.OfType<BounceEvent>(), b => b.QueueId == id.ToString() && b.To == "a@here.test");
        // What went wrong inside is nothing for the sender.
        var text = rig.Spool.Text(Assert.Single(rig.Spool.List(), e => e.Envelope.Id.ToString() == report.BounceId).Envelope.Id);
        Assert.Contains("an error of this server", text, StringComparison.Ordinal);
        Assert.DoesNotContain("poison", text, StringComparison.Ordinal);
        Assert.Single(rig.Audit.Events.OfType<ServerEvent>(), e => e.Event == "message_held" && e.Detail.StartsWith($"{id}: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_hold_of_the_server_keeps_its_time_over_a_restart()
    {
        var clock = new ManualClock();
        var spool = new FakeSpool();
        QueueId id;
        await using (var before = new DeliveryRig(ToFake, clock, spool, Poison()))
        {
            before.Scheduler.Start();
            id = await before.AddAsync("ok@there.test");
            await HeldAsync(before, 1);
        }

        clock.Advance(GiveUp - TimeSpan.FromHours(2));
        await using var after = new DeliveryRig(ToFake, clock, spool, FakeTransport.ByLocalPart());
        after.Scheduler.Start();
        await HeldAsync(after, 1);
        Pass(clock, TimeSpan.FromHours(3));

        await spool.GoneAsync(id);
        Assert.DoesNotContain(after.Audit.Events.OfType<BounceEvent>(), static b => b.To == "a@here.test");
    }

    [Fact]
    public async Task An_operator_makes_the_hold_one_without_an_end_or_ends_it()
    {
        var clock = new ManualClock();
        Exception? failure = new InvalidOperationException("poison");
        await using var rig = new DeliveryRig(ToFake, clock, transport: Poison(() => Volatile.Read(ref failure)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");
        await HeldAsync(rig, 1);
        var control = new SchedulerQueueControl(rig.Scheduler, rig.Spool);

        Assert.True(await control.HoldAsync(id, TestContext.Current.CancellationToken));
        Assert.Equal((true, null), (rig.Spool.Find(id)!.State.Held, rig.Spool.Find(id)!.State.HeldByServerAt));
        Pass(clock, 2 * GiveUp);
        Assert.NotNull(rig.Spool.Find(id));

        Volatile.Write(ref failure, null);
        Assert.True(await control.ReleaseAsync(id, TestContext.Current.CancellationToken));
        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task An_own_shortage_at_the_last_attempt_gives_nothing_up()
    {
        var clock = new ManualClock();
        Exception failure = new InvalidOperationException("poison");
        await using var rig = new DeliveryRig(ToFake, clock, transport: Poison(() => Volatile.Read(ref failure)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");
        await HeldAsync(rig, 1);

        Volatile.Write(ref failure, new IOException("Too many open files", 24));
        var stored = rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].LastReply!.StartsWith("not tried", StringComparison.Ordinal));
        Pass(clock, GiveUp + TimeSpan.FromHours(1));

        var state = await stored;
        Assert.Equal((RecipientStatus.Pending, true), (state.Recipients[0].Status, state.HeldByServerAt is not null));
        Assert.DoesNotContain(rig.Audit.Events.OfType<BounceEvent>(), static b => b.To == "a@here.test");
    }

    [Fact]
    public async Task Nothing_is_held_before_the_word_to_the_postmaster_is_stored()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: Poison());
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");
        await HeldAsync(rig, 1);
        rig.Spool.CommitFailure = new SpoolCommit.Full("no room");

        Assert.Equal(QueueCommandOutcome.Done, await rig.Scheduler.ReleaseAsync(id, TestContext.Current.CancellationToken));
        Assert.Equal((2, false), await AttemptedAsync(rig, id, 2));

        rig.Spool.CommitFailure = null;
        Pass(clock, TimeSpan.FromHours(1));
        Assert.Equal((3, true), await AttemptedAsync(rig, id, 3));
    }

    [Fact]
    public async Task What_this_server_wrote_itself_is_not_reported_upon()
    {
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: new FakeTransport(static (_, _) => Task.FromException<DeliveryReport>(new InvalidOperationException("poison"))));
        rig.Scheduler.Start();

        await rig.AddAsync("ok@there.test");
        await HeldAsync(rig, 2);

        Assert.Single(rig.Spool.List(), static e => e.Envelope.Recipients[0].Address == Postmaster);
    }

    [Fact]
    public async Task A_hundred_held_messages_make_twenty_words_an_hour_to_the_postmaster()
    {
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: Poison());
        rig.Scheduler.Start();

        for (var i = 0; i < 100; i++)
            await rig.AddAsync("ok@there.test");
        await HeldAsync(rig, 100);

        Assert.Equal(20, rig.Spool.List().Count(static e => e.Envelope.Recipients[0].Address == Postmaster));
        Assert.Equal(80, rig.Audit.Events.OfType<BounceEvent>().Count(static b => b.Reason.StartsWith("suppressed: more than 20 an hour", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task Our_own_shortage_at_the_end_of_an_attempt_counts_none(bool isOurs, int attempts)
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake with { InternalErrorsBeforeHold = 2 }, clock, transport: FakeTransport.ByLocalPart());
        var id = await rig.AddAsync("ok@there.test", "never@there.test");
        rig.Spool.DraftFailure = isOurs ? new IOException("Too many open files", 24) : new InvalidOperationException("no report today");
        rig.Scheduler.Start();

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].Status == RecipientStatus.Delivered);

        Assert.Equal((attempts, RecipientStatus.Pending), (state.Attempts, state.Recipients[1].Status));
    }

    /// <summary>Fails here for everything but the word to the postmaster, which is deferred.</summary>
    private static FakeTransport Poison(Func<Exception?>? failure = null) => new((_, message) =>
        message.Recipients[0].LocalPart == "postmaster" ? Task.FromResult(new DeliveryReport([FakeTransport.Later], Reached: true))
        : (failure is null ? new InvalidOperationException("poison") : failure()) is { } thrown ? Task.FromException<DeliveryReport>(thrown)
        : Task.FromResult(new DeliveryReport([FakeTransport.Delivered], Reached: true)));

    /// <summary>In steps, as time passes: a jump would be another thing.</summary>
    private static void Pass(ManualClock clock, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMinutes(50))
            clock.Advance(TimeSpan.FromMinutes(50));
    }

    private static async Task HeldAsync(DeliveryRig rig, int count)
    {
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => rig.Scheduler.Statistics().HeldByServer == count, TimeSpan.FromSeconds(20))));
    }

    private static async Task<(int Attempts, bool Held)> AttemptedAsync(DeliveryRig rig, QueueId id, int attempts)
    {
        var state = await rig.Spool.UpdatedAsync(id, s => s.Attempts == attempts);
        Assert.True(SpinWait.SpinUntil(() => rig.Scheduler.Statistics().Active == 0, TimeSpan.FromSeconds(20)));
        return (state.Attempts, state.Held);
    }
}
