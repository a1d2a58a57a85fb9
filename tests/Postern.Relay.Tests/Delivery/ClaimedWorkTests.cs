using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>The scheduler works on what it has room for; the rest is the spool's, and nobody's mail stands before another's.</summary>
public sealed class ClaimedWorkTests
{
    private static readonly DeliveryOptions Narrow = DeliveryRig.Options(new Route("dead.test", "smtp://dead.test"), new Route("*", "smtp://live.test")) with
    {
        MessagesAtWork = 100,
        MessagesAtWorkPerDestination = 20,
        ConnectionsPerDestination = 1,
        Retry = new RetrySchedule(TimeSpan.FromHours(1), 1, TimeSpan.FromHours(1), TimeSpan.FromDays(5)),
    };

    private readonly TaskCompletionSource deadAnswers = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private FakeTransport DeadHangs(Func<DeliveryReport>? then = null) => new(async (hop, message) =>
    {
        if (hop.Name == "dead.test:25")
        {
            await deadAnswers.Task;
            if (then is not null)
                return then();
        }

        return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_backlog_for_one_destination_keeps_no_other_mail_from_being_sent(bool isThereAtStart)
    {
        var transport = DeadHangs();
        await using var rig = new DeliveryRig(Narrow, transport: transport);
        if (!isThereAtStart)
            rig.Scheduler.Start();
        var dead = await AddAsync(rig, 1000, "dead.test");
        var live = await rig.AddAsync("a@live.test");
        if (isThereAtStart)
            rig.Scheduler.Start();

        await rig.Spool.GoneAsync(live);
        await rig.Spool.GoneAsync(await rig.AddAsync("b@live.test"));
        // For both destinations of one message the one that is free is reason enough to begin.
        var both = await rig.AddAsync("c@live.test", "c@dead.test");
        await rig.Spool.UpdatedAsync(both, static s => s.Recipients[0].Status == RecipientStatus.Delivered);
        Assert.InRange(rig.Scheduler.Statistics().Active, 1, 40);
        Assert.Equal(1001, rig.Scheduler.Statistics().Active + rig.Scheduler.Statistics().Waiting);

        deadAnswers.SetResult();
        foreach (var id in dead)
            await rig.Spool.GoneAsync(id);
        await rig.Spool.GoneAsync(both);
        Assert.Equal(1004, transport.Attempts.Count);
    }

    [Fact]
    public async Task Work_is_bounded_over_all_destinations_and_each_still_gets_its_turn()
    {
        var permits = new SemaphoreSlim(0);
        var transport = new FakeTransport(async (_, message) =>
        {
            await permits.WaitAsync();
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        });
        await using var rig = new DeliveryRig(Narrow with { Routes = RouteTable.Mx }, transport: transport);
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 30; i++)
            ids.AddRange(await AddAsync(rig, 20, $"d{i}.test"));
        Assert.InRange(rig.Scheduler.Statistics().Active, 50, 100);
        permits.Release(600);
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
        Assert.Equal(600, transport.Attempts.Count);
    }

    [Fact]
    public async Task A_destination_that_is_away_puts_off_all_that_waits_for_it_and_gets_it_together_when_it_is_back()
    {
        var clock = new ManualClock();
        var isBack = false;
        var transport = new FakeTransport((hop, _) => Task.FromResult(hop.Name != "dead.test:25" || isBack
            ? new DeliveryReport([FakeTransport.Delivered], Reached: true)
            : new DeliveryReport([new Outcome.Deferred("dead", "connect: refused", Tls: null) { IsUnreachable = true }], Reached: false))) { IsBack = _ => isBack };
        await using var rig = new DeliveryRig(Narrow, clock, transport: transport);
        var dead = await AddAsync(rig, 500, "dead.test");
        rig.Scheduler.Start();
        await UntilAsync(() => rig.Spool.List().All(static e => e.State.Attempts == 1) && rig.Scheduler.Statistics() is { Active: 0, Waiting: 500 });
        // One connection told it for very many.
        Assert.InRange(transport.Attempts.Count, 1, 100);

        isBack = true;
        clock.Advance(TimeSpan.FromSeconds(20));
        foreach (var id in dead)
            await rig.Spool.GoneAsync(id);
        // Told when they have been called, of which the last one may be delivered by then.
        await UntilAsync(() => rig.Audit.Events.OfType<ServerEvent>().Any(static e => e.Event == "destination_back"));
    }

    [Fact]
    public async Task What_was_put_on_a_shelf_follows_a_new_route()
    {
        var transport = DeadHangs();
        await using var rig = new DeliveryRig(Narrow, transport: transport);
        rig.Scheduler.Start();
        var dead = await AddAsync(rig, 200, "dead.test");
        await UntilAsync(() => transport.Attempts.Count == 1);
        rig.Scheduler.Apply(Narrow with { Routes = DeliveryRig.Options(new Route("*", "smtp://live.test")).Routes });
        // One is under way, and the lane may have taken the one behind it.
        await UntilAsync(() => rig.Spool.Count <= 2);
        deadAnswers.SetResult();
        foreach (var id in dead)
            await rig.Spool.GoneAsync(id);
        Assert.Equal(200, transport.Attempts.Count);
    }

    [Fact]
    public async Task What_an_operator_changed_in_the_spool_during_an_attempt_stays_and_so_does_what_was_delivered()
    {
        var clock = new ManualClock();
        var transport = DeadHangs(() => new DeliveryReport([FakeTransport.Later], Reached: true));
        await using var rig = new DeliveryRig(Narrow, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("c@live.test", "c@dead.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].Status == RecipientStatus.Delivered);

        // By another node, or by a program that has the spool open.
        Assert.True(await rig.Spool.ChangeAsync(id, static e => e.State with { Held = true }, Ct));
        deadAnswers.SetResult();
        await UntilAsync(() => rig.Scheduler.Statistics().Active == 0);

        var state = rig.Spool.Find(id)!.State;
        Assert.Equal((1, true), (state.Attempts, state.Held));
        Assert.Equal([RecipientStatus.Delivered, RecipientStatus.Pending], state.Recipients.Select(static r => r.Status));
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(2, transport.Attempts.Count);
    }

    [Fact]
    public async Task Whoever_took_a_message_over_learns_who_has_it_already_and_is_not_written_over()
    {
        var clock = new ManualClock();
        var transport = DeadHangs(() => new DeliveryReport([FakeTransport.Delivered], Reached: true));
        await using var rig = new DeliveryRig(Narrow, clock, transport: transport);
        rig.Spool.IsRenewalLost = true;
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@dead.test", "c@dead.test2");
        await UntilAsync(() => transport.Attempts.Count == 2);
        await UntilAsync(() => rig.Spool.Find(id)!.State.Recipients[1].Status == RecipientStatus.Delivered);

        clock.Advance(TimeSpan.FromHours(2));
        await using var other = await rig.Spool.OpenClaimsAsync(Ct);
        var taken = Assert.Single((await other.ClaimDueAsync(clock.GetUtcNow(), most: 10, shelf: null, Ct)).Claims);
        deadAnswers.SetResult();
        await UntilAsync(() => rig.Spool.Find(id)!.State.Recipients[0].Status == RecipientStatus.Delivered);

        Assert.NotNull(rig.Spool.Find(id));
        Assert.Equal(SpoolClaim.Answer.Stale, await other.RecordAsync(taken, taken.Entry.State with { Attempts = 9 }, Ct));
        Assert.All((await other.ClaimAsync(id, Ct))!.Entry.State.Recipients, static r => Assert.Equal(RecipientStatus.Delivered, r.Status));
    }

    [Fact]
    public async Task What_the_disk_does_not_take_is_known_here_so_that_nobody_gets_a_second_copy()
    {
        var clock = new ManualClock();
        var isOk = false;
        var transport = new FakeTransport((_, message) => Task.FromResult(new DeliveryReport(
            [.. message.Recipients.Select(r => r.LocalPart == "ok" || isOk ? FakeTransport.Delivered : FakeTransport.Later)], Reached: true)));
        await using var rig = new DeliveryRig(Narrow, clock, transport: transport);
        rig.Spool.BeforeUpdate = static _ => throw new IOException("No space left on device");
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@live.test", "later@live.test");
        await UntilAsync(() => rig.Audit.Events.OfType<ServerEvent>().Any(static e => e.Event == "spool-error"));
        clock.Advance(TimeSpan.FromMinutes(70));
        await UntilAsync(() => transport.Attempts.Count == 2);
        Assert.Equal(["later@live.test"], transport.Attempts[1].Recipients);

        await UntilAsync(() => rig.Audit.Events.OfType<ServerEvent>().Count(static e => e.Event == "spool-error") >= 2);
        rig.Spool.BeforeUpdate = static _ => Task.CompletedTask;
        isOk = true;
        clock.Advance(TimeSpan.FromMinutes(70));
        await rig.Spool.GoneAsync(id);
        Assert.Equal(["later@live.test"], transport.Attempts[^1].Recipients);
    }

    [Fact]
    public async Task A_stop_gives_back_what_was_claimed()
    {
        var transport = DeadHangs();
        var rig = new DeliveryRig(Narrow, transport: transport);
        rig.Scheduler.Start();
        await AddAsync(rig, 50, "dead.test");
        Assert.True(rig.Spool.Tally.Claimed > 0);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Equal((50, 0), (rig.Spool.Count, rig.Spool.Tally.Claimed));
    }

    [Fact]
    public async Task Content_is_decorated_once_for_all_next_hops_and_before_it()
    {
        var bodies = new System.Collections.Concurrent.ConcurrentBag<string>();
        var transport = new FakeTransport(async (_, message) =>
        {
            var octets = new byte[message.Content.Length];
            for (var at = 0; at < octets.Length;)
                at += await message.Content.ReadAsync(at, octets.AsMemory(at, Math.Min(7, octets.Length - at)), CancellationToken.None);
            bodies.Add(Encoding.ASCII.GetString(octets));
            return new DeliveryReport([FakeTransport.Delivered], Reached: true);
        });
        var (signer, counter) = (new Signer("DKIM-Signature"), new Signer("X-Counter"));
        await using var rig = new DeliveryRig(Narrow with { Decorators = [counter, signer] }, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("a@live.test", "a@dead.test");
        deadAnswers.SetResult();
        await rig.Spool.GoneAsync(id);

        Assert.Equal((1, 1), (signer.Asked, counter.Asked));
        Assert.Equal(2, bodies.Count);
        Assert.All(bodies, static body => Assert.Equal(
            $"DKIM-Signature: over {DeliveryRig.Content.Length} behind 14\r\nX-Counter: over {DeliveryRig.Content.Length} behind 0\r\n{DeliveryRig.Content}".Replace("behind 14", $"behind {$"X-Counter: over {DeliveryRig.Content.Length} behind 0\r\n".Length}", StringComparison.Ordinal),
            body));
    }

    [Fact]
    public async Task A_message_is_not_sent_without_what_was_to_stand_before_it()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        var signer = new Signer("DKIM-Signature") { Failure = new InvalidOperationException("no key") };
        await using var rig = new DeliveryRig(Narrow with { Decorators = [signer] }, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@live.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        Assert.Empty(transport.Attempts);

        signer.Failure = null;
        await UntilAsync(() => rig.Scheduler.Statistics().Waiting == 1);
        clock.Advance(TimeSpan.FromHours(2));
        await rig.Spool.GoneAsync(id);
        Assert.Equal(2, signer.Asked);
    }

    private static async Task<List<QueueId>> AddAsync(DeliveryRig rig, int count, string domain)
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < count; i++)
            ids.Add(await rig.AddAsync($"ok{i}@{domain}"));
        return ids;
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
            await Task.Delay(1, patience.Token);
    }

    /// <summary>As a signature would be made: it reads all of the content.</summary>
    private sealed class Signer(string name) : IContentDecorator
    {
        private int asked;

        public int Asked => asked;

        public Exception? Failure { get; set; }

        public async ValueTask<Decoration> HeaderAsync(Envelope envelope, ReadOnlyMemory<byte> before, ISpoolContent content, CancellationToken ct)
        {
            Interlocked.Increment(ref asked);
            if (Failure is { } failure)
                throw failure;
            var buffer = new byte[5];
            long length = 0;
            while (await content.ReadAsync(length, buffer, ct) is > 0 and var read)
                length += read;
            return Encoding.ASCII.GetBytes($"{name}: over {length} behind {before.Length}\r\n");
        }
    }
}
