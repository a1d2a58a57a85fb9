using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

public sealed class DeliverySchedulerTests
{
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    private static DeliveryReport All(Outcome outcome, int count = 1, bool reached = true) => new([.. Enumerable.Repeat(outcome, count)], reached);

    private static Task<DeliveryState> StoredAsync(DeliveryRig rig, QueueId id, int attempts) => rig.Spool.UpdatedAsync(id, s => s.Attempts == attempts);

    [Fact]
    public async Task A_committed_message_reaches_its_route_and_leaves_the_spool()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("b@there.test");
        var message = await sink.NextMessageAsync();
        await rig.Spool.GoneAsync(id);

        Assert.Equal("a@here.test", message.Sender);
        Assert.Equal(["b@there.test"], message.Recipients);
        Assert.Equal(DeliveryRig.Content, message.Text);
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal((DeliveryOutcome.Delivered, 1, "250 2.0.0 Taken"), (delivery.Outcome, delivery.Attempt, delivery.Reply));
        Assert.Equal($"[127.0.0.1]:{sink.Port}", delivery.Remote);
    }

    [Fact]
    public async Task Messages_to_one_destination_share_a_connection()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 });
        string[] names = [.. Enumerable.Range(0, 50).Select(i => $"r{i}@there.test")];
        foreach (var name in names)
            await rig.AddAsync(name);
        rig.Scheduler.Start();

        var taken = await sink.NextMessagesAsync(names.Length);

        Assert.Equal(1, sink.Connections);
        Assert.Equal(names.Order(StringComparer.Ordinal), taken.Select(m => m.Recipients[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_connection_is_made_anew_after_its_number_of_messages()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1, MessagesPerConnection = 2 });
        rig.Scheduler.Start();
        for (var i = 0; i < 5; i++)
        {
            var id = await rig.AddAsync("b@there.test");
            await rig.Spool.GoneAsync(id);
        }

        Assert.Equal(3, sink.Connections);
    }

    [Fact]
    public async Task A_server_that_answers_a_reused_connection_with_421_is_connected_to_again_without_a_deferral()
    {
        var mails = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, connection) => phase == SinkPhase.Mail && connection == 0 && Interlocked.Increment(ref mails) == 2 ? new SinkAction.Reply("421 4.4.2 Idle too long") : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 });
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync("b@there.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("c@there.test"));

        Assert.Equal(2, sink.Connections);
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), d => Assert.Equal(DeliveryOutcome.Delivered, d.Outcome));
    }

    [Fact]
    public async Task Without_a_route_messages_wait_until_one_is_set()
    {
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(DeliveryRig.Options(), transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        Assert.Equal(1, rig.Scheduler.Statistics().Parked);
        Assert.Equal(QueueCommandOutcome.NoRoute, rig.Scheduler.RetryNow(id));
        Assert.Empty(transport.Attempts);

        rig.Scheduler.Routes = ToFake.Routes;
        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task A_deferred_message_is_tried_again_when_its_time_comes_and_not_before()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test");

        var first = await StoredAsync(rig, id, 1);
        Assert.Equal("450 4.2.0 Later", first.Recipients[0].LastReply);
        Assert.InRange(first.NextAttempt - clock.GetUtcNow(), TimeSpan.FromSeconds(54), TimeSpan.FromSeconds(66));

        await WaitUntilWaitingAsync(rig);
        clock.Advance(TimeSpan.FromSeconds(53));
        Assert.Single(transport.Attempts);
        clock.Advance(TimeSpan.FromSeconds(14));
        var second = await StoredAsync(rig, id, 2);
        Assert.InRange(second.NextAttempt - clock.GetUtcNow(), TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(132));
    }

    [Fact]
    public async Task After_the_time_to_give_up_the_sender_gets_a_bounce()
    {
        var clock = new ManualClock();
        var options = ToFake with { Retry = new RetrySchedule(TimeSpan.FromMinutes(1), 2, TimeSpan.FromHours(4), TimeSpan.FromMinutes(2)) };
        await using var rig = new DeliveryRig(options, clock, transport: FakeTransport.ByLocalPart());
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test");

        for (var attempt = 1; attempt <= 2; attempt++)
        {
            await StoredAsync(rig, id, attempt);
            await WaitUntilWaitingAsync(rig);
            clock.Advance(TimeSpan.FromSeconds(70));
        }

        await rig.Spool.GoneAsync(id);
        var bounce = await rig.Audit.NextAsync<BounceEvent>();
        Assert.Equal("a@here.test", bounce.To);
        Assert.Equal(3, rig.Audit.Events.OfType<DeliveryEvent>().Count(d => d.QueueId == id.ToString()));
    }

    [Fact]
    public async Task Recipients_fare_each_on_their_own_and_only_the_pending_ones_are_tried_again()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test", "later@there.test", "never@there.test");

        var state = await StoredAsync(rig, id, 1);
        Assert.Equal([RecipientStatus.Delivered, RecipientStatus.Pending, RecipientStatus.Failed], state.Recipients.Select(r => r.Status));
        Assert.Contains("1 of 3", (await rig.Audit.NextAsync<BounceEvent>()).Reason, StringComparison.Ordinal);

        await WaitUntilWaitingAsync(rig);
        clock.Advance(TimeSpan.FromMinutes(2));
        await StoredAsync(rig, id, 2);
        Assert.Equal(["later@there.test"], transport.Attempts.Last(a => a.Recipients[0] != "a@here.test").Recipients);
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_spool_says()
    {
        var clock = new ManualClock();
        var spool = new FakeSpool();
        QueueId id;
        await using (var before = new DeliveryRig(ToFake, clock, spool, FakeTransport.ByLocalPart()))
        {
            before.Scheduler.Start();
            id = await before.AddAsync("ok@there.test", "later@there.test");
            await StoredAsync(before, id, 1);
        }

        var transport = new FakeTransport((_, _) => Task.FromResult(All(FakeTransport.Delivered)));
        await using var after = new DeliveryRig(ToFake, clock, spool, transport);
        after.Scheduler.Start();
        Assert.Empty(transport.Attempts);
        clock.Advance(TimeSpan.FromMinutes(2));
        await spool.GoneAsync(id);

        Assert.Equal(["later@there.test"], Assert.Single(transport.Attempts).Recipients);
    }

    [Fact]
    public async Task A_stop_cuts_off_what_hangs_and_counts_no_attempt()
    {
        var reached = new TaskCompletionSource();
        var spool = new FakeSpool();
        var rig = new DeliveryRig(ToFake, spool: spool, transport: new FakeTransport(async (_, _) =>
        {
            reached.SetResult();
            await Task.Delay(Timeout.Infinite);
            return default;
        }));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await reached.Task;

        await rig.Scheduler.StopAsync(TimeSpan.FromMilliseconds(20));

        Assert.Equal((0, RecipientStatus.Pending), (spool.Find(id)!.State.Attempts, spool.Find(id)!.State.Recipients[0].Status));
    }

    [Fact]
    public async Task A_stop_lets_the_message_under_way_end()
    {
        var reached = new TaskCompletionSource();
        var answer = new TaskCompletionSource<DeliveryReport>();
        var rig = new DeliveryRig(ToFake, transport: new FakeTransport((_, _) =>
        {
            reached.SetResult();
            return answer.Task;
        }));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await reached.Task;

        var stopping = rig.Scheduler.StopAsync(TimeSpan.FromMinutes(1));
        answer.SetResult(All(FakeTransport.Delivered));
        await stopping;

        Assert.Null(rig.Spool.Find(id));
    }

    [Fact]
    public async Task A_destination_that_hangs_keeps_its_lanes_and_no_others()
    {
        var transport = new FakeTransport(async (hop, _) =>
        {
            if (hop.Name.StartsWith("hangs", StringComparison.Ordinal))
                await Task.Delay(Timeout.Infinite);
            return All(FakeTransport.Delivered);
        });
        var options = DeliveryRig.Options(new("slow.test", "smtp://hangs"), new("*", "smtp://works")) with { ConnectionsPerDestination = 2, Connections = 4, GrowthDelay = TimeSpan.Zero };
        await using var rig = new DeliveryRig(options, transport: transport);
        rig.Scheduler.Start();
        for (var i = 0; i < 20; i++)
            await rig.AddAsync("b@slow.test");
        for (var i = 0; i < 20; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync("b@fast.test"));

        // A second one would learn no more than the first.
        Assert.Equal(1, rig.Scheduler.Statistics().Destinations.Single(d => d.Name == "hangs:25").Connections);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_destination_that_hangs_after_it_was_reached_does_not_take_every_connection_there_is()
    {
        var count = 0;
        var transport = new FakeTransport(async (hop, _) =>
        {
            if (hop.Name.StartsWith("hangs", StringComparison.Ordinal) && Interlocked.Increment(ref count) > 1)
                await Task.Delay(Timeout.Infinite);
            return All(FakeTransport.Delivered);
        });
        var options = DeliveryRig.Options(new("slow.test", "smtp://hangs"), new("*", "smtp://works")) with { Connections = 10, GrowthDelay = TimeSpan.FromMilliseconds(1) };
        await using var rig = new DeliveryRig(options, transport: transport);
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("b@slow.test"));
        for (var i = 0; i < 40; i++)
            await rig.AddAsync("b@slow.test");
        while (rig.Scheduler.Statistics().Destinations.Single(d => d.Name == "hangs:25").Connections < 6)
            await Task.Yield();

        await rig.Spool.GoneAsync(await rig.AddAsync("b@fast.test"));

        // The one that was there, and five that are on their way.
        Assert.Equal(6, rig.Scheduler.Statistics().Destinations.Single(d => d.Name == "hangs:25").Connections);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_limit_of_connections_over_all_destinations_hands_places_on()
    {
        var transport = new FakeTransport((_, _) => Task.FromResult(All(FakeTransport.Delivered)));
        var options = DeliveryRig.Options(new Route("*", "mx")) with { Connections = 1, IdleClose = TimeSpan.FromMilliseconds(1) };
        await using var rig = new DeliveryRig(options, transport: transport);
        rig.Scheduler.Start();

        var ids = new List<QueueId>();
        for (var i = 0; i < 5; i++)
            ids.Add(await rig.AddAsync($"b@d{i}.test"));
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);

        Assert.Equal(5, transport.Lanes);
    }

    [Fact]
    public async Task An_unreachable_destination_defers_all_that_waits_for_it_at_once()
    {
        var gate = new TaskCompletionSource<DeliveryReport>();
        var transport = new FakeTransport((_, _) => gate.Task);
        await using var rig = new DeliveryRig(ToFake with { ConnectionsPerDestination = 1 }, transport: transport);
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 10; i++)
            ids.Add(await rig.AddAsync("b@there.test"));

        gate.SetResult(All(new Outcome.Deferred("fake", "connect: refused", Tls: null), reached: false));

        foreach (var id in ids)
            await StoredAsync(rig, id, 1);
        Assert.True(transport.Attempts.Count <= 2, $"{transport.Attempts.Count} attempts");
        Assert.Contains(rig.Audit.Events.OfType<DeliveryEvent>(), d => d.Reply == "delivery suspended: connect: refused");
    }

    [Fact]
    public async Task One_message_to_several_destinations_is_recorded_as_each_answers()
    {
        var slow = new TaskCompletionSource<DeliveryReport>();
        var transport = new FakeTransport((hop, _) => hop.Name == "slow.test" ? slow.Task : Task.FromResult(All(FakeTransport.Delivered)));
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", "mx")), transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("a@slow.test", "b@fast.test");

        var partly = await rig.Spool.UpdatedAsync(id, s => s.Recipients[1].Status == RecipientStatus.Delivered);
        Assert.Equal((0, RecipientStatus.Pending), (partly.Attempts, partly.Recipients[0].Status));

        slow.SetResult(All(FakeTransport.Delivered));
        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task Many_recipients_of_one_destination_go_in_several_transactions()
    {
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake with { RecipientsPerTransaction = 10 }, transport: transport);
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync([.. Enumerable.Range(0, 25).Select(i => $"ok{i}@there.test")]));

        Assert.Equal([5, 10, 10], transport.Attempts.Select(a => a.Recipients.Length).Order());
    }

    [Fact]
    public async Task A_mistake_here_defers_the_message_and_the_last_of_several_holds_it()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake with { InternalErrorsBeforeHold = 2 }, clock, transport: FakeTransport.ByLocalPart());
        var poison = await rig.AddAsync("ok@there.test");
        rig.Spool.ContentFailure = id => id == poison ? new InvalidDataException("damaged") : null;
        rig.Scheduler.Start();

        var first = await StoredAsync(rig, poison, 1);
        Assert.Equal((false, "internal error: damaged"), (first.Held, first.Recipients[0].LastReply));
        await WaitUntilWaitingAsync(rig);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.True((await StoredAsync(rig, poison, 2)).Held);
        await rig.Spool.GoneAsync(await rig.AddAsync("ok@there.test"));
    }

    [Fact]
    public async Task A_mistake_at_the_end_of_an_attempt_delivers_nothing_twice_and_ends_in_a_hold()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake with { InternalErrorsBeforeHold = 2 }, clock, transport: transport);
        await rig.AddAsync("ok@there.test", "never@there.test");
        rig.Spool.DraftFailure = new InvalidOperationException("no report today");
        rig.Scheduler.Start();
        while (rig.Scheduler.Statistics() is not { Active: 0, Waiting: 1 })
            await Task.Yield();

        clock.Advance(TimeSpan.FromMinutes(2));
        while (rig.Scheduler.Statistics() is not { Active: 0, Held: 1 })
            await Task.Yield();

        Assert.Equal([["ok@there.test", "never@there.test"], ["never@there.test"]], transport.Attempts.Select(a => a.Recipients));
    }

    [Fact]
    public async Task Too_many_recipients_is_no_verdict_where_others_were_taken_and_the_content_was_not()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("c@", StringComparison.Ordinal) ? new SinkAction.Reply("552 5.5.3 Too many recipients")
                : phase == SinkPhase.Data ? new SinkAction.Reply("451 4.3.0 Later") : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)), new ManualClock());
        rig.Scheduler.Start();

        var state = await StoredAsync(rig, await rig.AddAsync("b@there.test", "c@there.test"), 1);

        Assert.All(state.Recipients, static r => Assert.Equal(RecipientStatus.Pending, r.Status));
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    [Fact]
    public async Task Operators_hold_release_retry_and_remove_a_message()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test");
        await StoredAsync(rig, id, 1);
        await WaitUntilWaitingAsync(rig);

        Assert.Equal(QueueCommandOutcome.Done, await rig.Scheduler.HoldAsync(id, CancellationToken.None));
        Assert.True(rig.Spool.Find(id)!.State.Held);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(QueueCommandOutcome.Held, rig.Scheduler.RetryNow(id));
        Assert.Single(transport.Attempts);

        Assert.Equal(QueueCommandOutcome.Done, await rig.Scheduler.ReleaseAsync(id, CancellationToken.None));
        Assert.False((await StoredAsync(rig, id, 2)).Held);
        await WaitUntilWaitingAsync(rig);
        Assert.Equal(QueueCommandOutcome.Done, rig.Scheduler.RetryNow(id));
        await StoredAsync(rig, id, 3);
        await WaitUntilWaitingAsync(rig);

        Assert.Equal(QueueCommandOutcome.Done, rig.Scheduler.Remove(id));
        Assert.Null(rig.Spool.Find(id));
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(3, transport.Attempts.Count);
        Assert.Equal(QueueCommandOutcome.NotFound, rig.Scheduler.RetryNow(id));
        Assert.Equal(QueueCommandOutcome.NotFound, await rig.Scheduler.HoldAsync(id, CancellationToken.None));
    }

    [Fact]
    public async Task A_hold_during_an_attempt_takes_effect_when_it_ends()
    {
        var answer = new TaskCompletionSource<DeliveryReport>();
        var reached = new TaskCompletionSource();
        await using var rig = new DeliveryRig(ToFake, transport: new FakeTransport((_, _) =>
        {
            reached.TrySetResult();
            return answer.Task;
        }));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await reached.Task;

        Assert.Equal(QueueCommandOutcome.UnderWay, await rig.Scheduler.HoldAsync(id, CancellationToken.None));
        answer.SetResult(All(FakeTransport.Later));

        Assert.True((await StoredAsync(rig, id, 1)).Held);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hold_or_a_release_while_the_state_is_being_stored_counts(bool wasHeld)
    {
        var storing = new TaskCompletionSource();
        var stored = new TaskCompletionSource();
        var answer = new TaskCompletionSource<DeliveryReport>();
        var reached = new TaskCompletionSource();
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: new FakeTransport((_, _) =>
        {
            reached.TrySetResult();
            return answer.Task;
        }));
        rig.Spool.BeforeUpdate = _ =>
        {
            storing.TrySetResult();
            return stored.Task;
        };
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await reached.Task;
        if (wasHeld)
            await rig.Scheduler.HoldAsync(id, CancellationToken.None);
        answer.SetResult(All(FakeTransport.Later));
        await storing.Task;

        if (wasHeld)
            await rig.Scheduler.ReleaseAsync(id, CancellationToken.None);
        else
            await rig.Scheduler.HoldAsync(id, CancellationToken.None);
        stored.SetResult();

        await WaitUntilWaitingAsync(rig);
        Assert.Equal(!wasHeld, rig.Spool.Find(id)!.State.Held);
        Assert.Equal(wasHeld ? 0 : 1, rig.Scheduler.Statistics().Held);
    }

    [Fact]
    public async Task Nothing_is_delivered_that_a_failed_spool_could_not_record()
    {
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: transport);
        rig.Spool.Status = new SpoolStatus(SpoolCondition.Failed, "sync failed");
        rig.Scheduler.Start();

        var id = await rig.AddAsync("ok@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Deferred, "not tried: sync failed"), (delivery.Outcome, delivery.Reply));
        Assert.NotNull(rig.Spool.Find(id));
        Assert.Empty(transport.Attempts);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_closed_in_order_gives_its_place_back()
    {
        var transport = new FakeTransport((_, _) => Task.FromResult(All(FakeTransport.Delivered))) { CloseFailure = new InvalidOperationException("closing") };
        var options = DeliveryRig.Options(new Route("*", "mx")) with { Connections = 1, IdleClose = TimeSpan.FromMilliseconds(1) };
        var rig = new DeliveryRig(options, transport: transport);
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync("b@one.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("b@two.test"));

        await rig.Scheduler.StopAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_server_that_refuses_rset_is_connected_to_again_and_the_message_is_not_bounced()
    {
        var resets = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.Reset && Interlocked.Increment(ref resets) > 0 ? new SinkAction.Reply("502 5.5.1 Not here")
                : phase == SinkPhase.Rcpt && line.Contains("no@", StringComparison.Ordinal) ? new SinkAction.Reply("550 5.1.1 No such user") : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 });
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.Spool.AddAsync(rig.Clock, DeliveryRig.Content, string.Empty, "no@there.test"));

        await rig.Spool.GoneAsync(await rig.AddAsync("yes@there.test"));

        Assert.Equal(["yes@there.test"], Assert.Single(sink.Messages).Recipients);
        Assert.Equal((1, 2), (resets, sink.Connections));
    }

    /// <summary>The state is stored a moment before the message waits for its time again.</summary>
    private static async Task WaitUntilWaitingAsync(DeliveryRig rig)
    {
        while (rig.Scheduler.Statistics() is { Active: > 0 })
            await Task.Yield();
    }
}
