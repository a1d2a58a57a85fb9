using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Spool;

/// <summary>What every spool must do for those who deliver from it and for operators; each kind of spool runs all of it.</summary>
public abstract class SpoolClaimsContract : SpoolContract
{
    private static readonly DateTimeOffset T0 = new(2026, 11, 20, 9, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>By which the spool measures leases.</summary>
    protected abstract ManualClock Clock { get; }

    /// <summary>Closes the spool and opens it again; <see cref="SpoolContract.Spool"/> is the new one then. False where it forgets everything.</summary>
    protected abstract ValueTask<bool> ReopenAsync();

    /// <summary>The same, as a kill of the process at this moment leaves it.</summary>
    protected abstract ValueTask<bool> KillAsync();

    [Fact]
    public async Task What_is_due_is_claimed_the_oldest_first_and_given_to_nobody_else()
    {
        var (third, first, second) = (await AddAsync(minutes: 3), await AddAsync(minutes: 1), await AddAsync(minutes: 2));
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        await using var other = await Spool.OpenClaimsAsync(Ct);

        Assert.Equal([first, second], Ids(await claims.ClaimDueAsync(T0.AddMinutes(3), most: 2, shelf: null, Ct)));
        Assert.Equal([third], Ids(await other.ClaimDueAsync(T0.AddMinutes(3), most: 10, shelf: null, Ct)));
        Assert.Empty(Ids(await claims.ClaimDueAsync(T0.AddMinutes(3), most: 10, shelf: null, Ct)));
        Assert.Equal(3, Spool.Tally.Claimed);
    }

    [Fact]
    public async Task What_is_not_due_is_not_claimed_and_its_time_is_told()
    {
        var id = await AddAsync(minutes: 5);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var batch = await claims.ClaimDueAsync(T0.AddMinutes(4), most: 10, shelf: null, Ct);
        Assert.Empty(batch.Claims);
        Assert.Equal(T0.AddMinutes(5), batch.Next);
        Assert.Equal([id], Ids(await claims.ClaimDueAsync(T0.AddMinutes(5), most: 10, shelf: null, Ct)));
        Assert.Null((await claims.ClaimDueAsync(T0.AddMinutes(5), most: 10, shelf: null, Ct)).Next);
    }

    [Fact]
    public async Task A_claim_shows_the_message_and_what_is_recorded_counts()
    {
        var id = await AddAsync(minutes: 0, recipients: 2);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, id);
        Assert.Equal(Samples.Describe(Spool.Find(id)!), Samples.Describe(claim.Entry));

        // Some recipients while the attempt goes on, then its end: with one number.
        var state = claim.Entry.State with { Recipients = claim.Entry.State.Recipients.SetItem(1, new RecipientState(RecipientStatus.Delivered, "250 ok")) };
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(claim, state, Ct));
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(claim, state with { Attempts = 1, NextAttempt = T0.AddHours(1) }, Ct));
        Assert.Equal((1, RecipientStatus.Delivered), (Spool.Find(id)!.State.Attempts, Spool.Find(id)!.State.Recipients[1].Status));
        Assert.Empty(Ids(await claims.ClaimDueAsync(T0.AddHours(2), most: 10, shelf: null, Ct)));

        await claims.ReleaseAsync(claim, shelf: null, Ct);
        Assert.Empty(Ids(await claims.ClaimDueAsync(T0.AddMinutes(59), most: 10, shelf: null, Ct)));
        Assert.Equal([id], Ids(await claims.ClaimDueAsync(T0.AddHours(1), most: 10, shelf: null, Ct)));
    }

    [Fact]
    public async Task What_is_finished_is_gone_and_what_is_gone_is_said_to_be_so()
    {
        var (finished, removed) = (await AddAsync(minutes: 0), await AddAsync(minutes: 0));
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var (first, second) = (await ClaimAsync(claims, finished), await ClaimAsync(claims, removed));
        Assert.Equal(SpoolClaim.Answer.Done, await claims.FinishAsync(first, Ct));
        Assert.Null(Spool.Find(finished));
        Assert.Equal(SpoolClaim.Answer.Gone, await claims.FinishAsync(first, Ct));

        Assert.True(Spool.Remove(removed));
        Assert.Equal(SpoolClaim.Answer.Gone, await claims.RecordAsync(second, second.Entry.State, Ct));
        Assert.Null(await claims.ClaimAsync(removed, Ct));
        await claims.ReleaseAsync(second, shelf: null, Ct);
        Assert.Equal((0, 0), (Spool.Count, Spool.Tally.Claimed));
    }

    [Fact]
    public async Task A_change_by_somebody_else_wins_and_the_claimant_learns_of_it()
    {
        var id = await AddAsync(minutes: 0);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, id);
        Assert.True(await Spool.ChangeAsync(id, static entry => entry.State with { Held = true }, Ct));

        Assert.Equal(SpoolClaim.Answer.Stale, await claims.RecordAsync(claim, claim.Entry.State with { Attempts = 1 }, Ct));
        Assert.Equal(SpoolClaim.Answer.Stale, await claims.FinishAsync(claim, Ct));
        Assert.Equal((0, true), (Spool.Find(id)!.State.Attempts, Spool.Find(id)!.State.Held));

        // It is its own all the same, and given to nobody else.
        await using (var other = await Spool.OpenClaimsAsync(Ct))
            Assert.Null(await other.ClaimAsync(id, Ct));
        var again = await claims.ClaimAsync(id, Ct);
        Assert.True(again!.Entry.State.Held);
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(again, again.Entry.State with { Attempts = 1 }, Ct));
        Assert.Equal(SpoolClaim.Answer.Stale, await claims.RecordAsync(claim, claim.Entry.State, Ct));
        await claims.ReleaseAsync(again, shelf: null, Ct);
        Assert.Equal(new SpoolTally(Held: 1, HeldByServer: 0, Claimed: 0), Spool.Tally);
    }

    [Fact]
    public async Task A_claim_whose_lease_is_over_goes_to_another_and_the_words_of_the_first_are_refused()
    {
        var id = await AddAsync(minutes: 0);
        await using var first = await Spool.OpenClaimsAsync(Ct);
        await using var second = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(first, id);
        Assert.Equal(Clock.GetUtcNow() + first.Lease, claim.LeaseEnd);

        Clock.Advance(first.Lease - TimeSpan.FromSeconds(1));
        Assert.Empty(Ids(await second.ClaimDueAsync(T0, most: 10, shelf: null, Ct)));
        Assert.True(await first.RenewAsync(Ct));
        Clock.Advance(first.Lease - TimeSpan.FromSeconds(1));
        Assert.Empty(Ids(await second.ClaimDueAsync(T0, most: 10, shelf: null, Ct)));

        Clock.Advance(TimeSpan.FromSeconds(1));
        var taken = Assert.Single((await second.ClaimDueAsync(T0, most: 10, shelf: null, Ct)).Claims);
        Assert.True(taken.Fence > claim.Fence);
        Assert.False(await first.RenewAsync(Ct));
        Assert.Equal(SpoolClaim.Answer.Stale, await first.RecordAsync(claim, claim.Entry.State with { Attempts = 7 }, Ct));
        Assert.Equal(SpoolClaim.Answer.Stale, await first.FinishAsync(claim, Ct));
        await first.ReleaseAsync(claim, shelf: null, Ct);
        Assert.Null(await first.ClaimAsync(id, Ct));
        Assert.Equal(SpoolClaim.Answer.Done, await second.RecordAsync(taken, taken.Entry.State with { Attempts = 1 }, Ct));
        Assert.Equal(1, Spool.Find(id)!.State.Attempts);
    }

    [Fact]
    public async Task Whoever_stops_gives_back_what_it_had()
    {
        var id = await AddAsync(minutes: 0);
        await using var second = await Spool.OpenClaimsAsync(Ct);
        await using (var first = await Spool.OpenClaimsAsync(Ct))
            await ClaimAsync(first, id);
        Assert.Equal([id], Ids(await second.ClaimDueAsync(T0, most: 10, shelf: null, Ct)));
    }

    [Fact]
    public async Task What_an_operator_holds_is_never_due_and_what_the_server_holds_is_at_its_time()
    {
        var (byOperator, byServer) = (await AddAsync(minutes: 0), await AddAsync(minutes: 0));
        await Spool.ChangeAsync(byOperator, static entry => entry.State with { Held = true }, Ct);
        await Spool.ChangeAsync(byServer, static entry => entry.State with { Held = true, HeldByServerAt = T0, NextAttempt = T0.AddDays(5) }, Ct);
        Assert.Equal(new SpoolTally(Held: 2, HeldByServer: 1, Claimed: 0), Spool.Tally);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        Assert.Empty(Ids(await claims.ClaimDueAsync(T0.AddDays(4), most: 10, shelf: null, Ct)));
        Assert.Equal([byServer], Ids(await claims.ClaimDueAsync(T0.AddDays(5), most: 10, shelf: null, Ct)));

        await Spool.ChangeAsync(byOperator, static entry => entry.State with { Held = false }, Ct);
        Assert.Equal([byOperator], Ids(await claims.ClaimDueAsync(T0.AddDays(5), most: 10, shelf: null, Ct)));
    }

    [Fact]
    public async Task What_waits_on_a_shelf_stands_before_nothing_else_and_comes_in_its_order()
    {
        var full = new List<QueueId>();
        for (var i = 0; i < 5; i++)
            full.Add(await AddAsync(minutes: i));
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        foreach (var claim in (await claims.ClaimDueAsync(T0.AddMinutes(10), most: 10, shelf: null, Ct)).Claims)
            await claims.ReleaseAsync(claim, "full.test", Ct);
        var other = await AddAsync(minutes: 9);

        Assert.Equal([other], Ids(await claims.ClaimDueAsync(T0.AddMinutes(10), most: 1, shelf: null, Ct)));
        Assert.Empty(Ids(await claims.ClaimDueAsync(T0.AddMinutes(10), most: 10, "another.test", Ct)));
        Assert.Equal(full[..2], Ids(await claims.ClaimDueAsync(T0.AddMinutes(10), most: 2, "full.test", Ct)));

        // One that is held or gone meanwhile is not on it any more.
        await Spool.ChangeAsync(full[2], static entry => entry.State with { Held = true }, Ct);
        Spool.Remove(full[3]);
        Assert.Equal([full[4]], Ids(await claims.ClaimDueAsync(T0.AddMinutes(10), most: 10, "full.test", Ct)));
    }

    [Fact]
    public async Task What_nobody_has_can_be_claimed_by_name_whatever_its_time_and_shelf_and_nothing_else()
    {
        var (early, late, shelved, taken, held, gone) = (
            await AddAsync(minutes: 0), await AddAsync(minutes: 500), await AddAsync(minutes: 0), await AddAsync(minutes: 0), await AddAsync(minutes: 0), await AddAsync(minutes: 0));
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        await using var other = await Spool.OpenClaimsAsync(Ct);
        await claims.ReleaseAsync(await ClaimAsync(claims, shelved), "shelf", Ct);
        await ClaimAsync(other, taken);
        await Spool.ChangeAsync(held, static entry => entry.State with { Held = true }, Ct);
        await Spool.RemoveAsync(gone, Ct);
        var mine = await ClaimAsync(claims, early);

        var free = await claims.ClaimFreeAsync([early, late, shelved, taken, held, gone], Ct);

        Assert.Equal([late, shelved], free.Select(static c => c.Id));
        // What was claimed before is as good as before.
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(mine, mine.Entry.State with { Attempts = 1 }, Ct));
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(free[1], free[1].Entry.State with { Attempts = 1 }, Ct));
        Assert.Empty((await claims.ClaimDueAsync(T0.AddDays(1), most: 10, "shelf", Ct)).Claims);
        await claims.ReleaseAsync(free[0], shelf: null, Ct);
        Assert.Equal([late], Ids(await other.ClaimDueAsync(T0.AddDays(1), most: 10, shelf: null, Ct)));
    }

    [Fact]
    public async Task A_shelf_that_is_cleared_is_due_as_before()
    {
        var id = await AddAsync(minutes: 0);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        await claims.ReleaseAsync(await ClaimAsync(claims, id), "full.test", Ct);
        Assert.Empty(Ids(await claims.ClaimDueAsync(T0, most: 10, shelf: null, Ct)));
        await claims.ClearShelfAsync("full.test", Ct);
        Assert.Equal([id], Ids(await claims.ClaimDueAsync(T0, most: 10, shelf: null, Ct)));
    }

    [Fact]
    public async Task Whoever_waits_is_woken_when_something_is_due_earlier_and_only_then()
    {
        var woken = 0;
        Spool.DueEarlier += () => Interlocked.Increment(ref woken);
        await AddAsync(minutes: 0);
        Assert.Equal(0, Volatile.Read(ref woken));                   // nobody works on the spool
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        await claims.ClaimDueAsync(T0, most: 10, shelf: null, Ct);

        await AddAsync(minutes: 30);
        await WokenAsync(1);
        Assert.Equal(T0.AddMinutes(30), (await claims.ClaimDueAsync(T0, most: 10, shelf: null, Ct)).Next);
        var later = await AddAsync(minutes: 40);
        await Spool.ChangeAsync(later, static entry => entry.State with { NextAttempt = T0.AddMinutes(50) }, Ct);
        await AddAsync(minutes: 20);
        await WokenAsync(2);
        await claims.ClaimDueAsync(T0, most: 10, shelf: null, Ct);
        Assert.Equal(1, await Spool.RescheduleAsync([later], T0.AddMinutes(10), Ct));
        await WokenAsync(3);
        Assert.Equal([later], Ids(await claims.ClaimDueAsync(T0.AddMinutes(10), most: 10, shelf: null, Ct)));

        async Task WokenAsync(int times)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (Volatile.Read(ref woken) < times)
                await Task.Delay(1, patience.Token);
            Assert.Equal(times, Volatile.Read(ref woken));
        }
    }

    [Fact]
    public async Task Another_time_is_not_stored_and_leaves_what_is_held_or_claimed()
    {
        var (waiting, held, claimed) = (await AddAsync(minutes: 60), await AddAsync(minutes: 60), await AddAsync(minutes: 0));
        await Spool.ChangeAsync(held, static entry => entry.State with { Held = true }, Ct);
        await using (var claims = await Spool.OpenClaimsAsync(Ct))
        {
            await ClaimAsync(claims, claimed);
            Assert.Equal(1, await Spool.RescheduleAsync([waiting, held, claimed, QueueId.New(Clock)], T0, Ct));
            Assert.Equal(T0.AddMinutes(60), Spool.Find(waiting)!.State.NextAttempt);
            Assert.Equal([waiting], Ids(await claims.ClaimDueAsync(T0, most: 10, shelf: null, Ct)));
        }

        if (!await ReopenAsync())
            return;
        await using var again = await Spool.OpenClaimsAsync(Ct);
        Assert.Equal([claimed], Ids(await again.ClaimDueAsync(T0.AddMinutes(59), most: 10, shelf: null, Ct)));
        Assert.Equal([waiting], Ids(await again.ClaimDueAsync(T0.AddMinutes(60), most: 10, shelf: null, Ct)));
        Assert.Equal(new SpoolTally(Held: 1, HeldByServer: 0, Claimed: 2), Spool.Tally);
    }

    [Fact]
    public async Task Changes_made_at_the_same_time_all_count()
    {
        var id = await AddAsync(minutes: 0);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, id);
        await Parallel.ForAsync(0, 8, Ct, async (worker, ct) =>
        {
            for (var i = 0; i < 10; i++)
            {
                if (worker > 0)
                {
                    Assert.True(await Spool.ChangeAsync(id, static entry => entry.State with { Attempts = entry.State.Attempts + 1 }, ct));
                    continue;
                }

                // The claimant, who must read again whenever somebody was faster.
                while (await claims.RecordAsync(claim, claim.Entry.State with { Attempts = claim.Entry.State.Attempts + 1 }, ct) == SpoolClaim.Answer.Stale)
                    claim = (await claims.ClaimAsync(id, ct))!;
                claim = (await claims.ClaimAsync(id, ct))!;
            }
        });
        Assert.Equal(80, Spool.Find(id)!.State.Attempts);
    }

    [Fact]
    public async Task No_message_is_given_to_two_and_none_is_forgotten()
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < 200; i++)
            ids.Add(await AddAsync(minutes: i % 7));
        var finished = new ConcurrentBag<QueueId>();
        await Parallel.ForAsync(0, 4, Ct, async (_, ct) =>
        {
            await using var claims = await Spool.OpenClaimsAsync(ct);
            for (var turn = 0; turn < 1000 && finished.Count < 200; turn++)
            {
                foreach (var claim in (await claims.ClaimDueAsync(T0.AddHours(1), most: 7, shelf: null, ct)).Claims)
                {
                    if (turn % 3 == 0)
                        await claims.ReleaseAsync(claim, shelf: null, ct);
                    else if (await claims.FinishAsync(claim, ct) == SpoolClaim.Answer.Done)
                        finished.Add(claim.Id);
                }
            }
        });
        Assert.Equal(ids.Order(), finished.Order());
        Assert.Equal(0, Spool.Count);
    }

    [Fact]
    public async Task The_oldest_of_each_condition_is_known_and_what_its_sender_wants_to_be_held_is_not_late()
    {
        var start = Clock.GetUtcNow();
        var ids = new List<QueueId>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add(await AddNowAsync(due: i == 0 ? start.AddDays(3) : Clock.GetUtcNow()));
            Clock.Advance(TimeSpan.FromMinutes(10));
        }

        await Spool.ChangeAsync(ids[2], entry => entry.State with { Attempts = 1, NextAttempt = start.AddDays(1) }, Ct);
        await Spool.ChangeAsync(ids[3], static entry => entry.State with { Held = true }, Ct);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        await ClaimAsync(claims, ids[4]);

        Assert.Equal(new SpoolTally(Held: 1, HeldByServer: 0, Claimed: 1) { Tried = 1 }, Spool.Tally);
        Assert.Equal([50, 40, 30, 20], Minutes(Spool.Ages()));
        await Spool.RemoveAsync(ids[1], Ct);
        await Spool.RemoveAsync(ids[3], Ct);
        Assert.Equal([10, 40, null, 20], Minutes(Spool.Ages()));

        static double?[] Minutes(SpoolAges ages) =>
            [.. new[] { ages.Waiting, ages.Deferred, ages.Held, ages.Active }.Select(static age => age is { } known ? Math.Round(known.TotalMinutes) : (double?)null)];
    }

    [Fact]
    public async Task A_list_is_filtered_and_paged()
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < 6; i++)
            ids.Add(await AddAsync(minutes: i));
        foreach (var i in new[] { 1, 3, 4 })
            await Spool.ChangeAsync(ids[i], static entry => entry.State with { Held = true }, Ct);
        var held = new QueueFilter { Held = true };
        Assert.Equal(3, await Spool.CountAsync(held, Ct));
        Assert.Equal([ids[1], ids[3]], (await Spool.ListAsync(held, after: null, most: 2, Ct)).Select(static e => e.Envelope.Id));
        Assert.Equal([ids[4]], (await Spool.ListAsync(held, ids[3], most: 2, Ct)).Select(static e => e.Envelope.Id));
        Assert.Empty(await Spool.ListAsync(held, ids[4], most: 2, Ct));
        Assert.Empty(await Spool.ListAsync(held, after: null, most: 0, Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_answered_is_there_when_it_is_opened_again_and_claims_are_not(bool isKilled)
    {
        var (claimed, recorded, changed) = (await AddAsync(minutes: 0), await AddAsync(minutes: 1), await AddAsync(minutes: 2));
        var claims = await Spool.OpenClaimsAsync(Ct);
        foreach (var claim in (await claims.ClaimDueAsync(T0.AddMinutes(1), most: 10, shelf: null, Ct)).Claims)
        {
            if (claim.Id == recorded)
                Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(claim, claim.Entry.State with { Attempts = 3 }, Ct));
        }

        await Spool.ChangeAsync(changed, static entry => entry.State with { NextAttempt = T0 }, Ct);
        if (!await (isKilled ? KillAsync() : ReopenAsync()))
            return;
        Assert.Equal(new SpoolTally(Held: 0, HeldByServer: 0, Claimed: 0) { Tried = 1 }, Spool.Tally);
        Assert.Equal(3, Spool.Find(recorded)!.State.Attempts);
        await using var again = await Spool.OpenClaimsAsync(Ct);
        Assert.Equal([claimed, changed, recorded], Ids(await again.ClaimDueAsync(T0.AddMinutes(1), most: 10, shelf: null, Ct)).OrderBy(id => id == recorded));
    }

    /// <summary>Until its events are on the disk a message whose delivery is over stands in one list, and in no other.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_has_ended_is_seen_by_nobody_but_who_asks_for_it_also_when_it_is_opened_again(bool isKilled)
    {
        var (first, ended, last) = (await AddAsync(minutes: 0), await AddAsync(minutes: 0), await AddAsync(minutes: 0));
        var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, ended);
        var state = claim.Entry.State with { HasEnded = true, TriedAt = T0, Recipients = [new RecipientState(RecipientStatus.Delivered, "250 ok") { Attempt = 1 }] };
        Assert.Equal(SpoolClaim.Answer.Done, await claims.EndAsync(claim, state, Ct));
        Assert.Equal(SpoolClaim.Answer.Gone, await claims.EndAsync(claim, state, Ct));
        await AssertHiddenAsync();
        // What is durable now stands behind the record of the end, for which nobody waits.
        Assert.True(await Spool.ChangeAsync(first, static entry => entry.State with { Attempts = 1 }, Ct));
        if (await (isKilled ? KillAsync() : ReopenAsync()))
            await AssertHiddenAsync();

        Assert.True(await Spool.RemoveAsync(ended, Ct));
        Assert.False(await Spool.RemoveAsync(ended, Ct));
        Assert.Empty(await Spool.ListEndedAsync(Ct));
        if (await ReopenAsync())
            Assert.Empty(await Spool.ListEndedAsync(Ct));
        Assert.Equal(2, Spool.Count);

        async Task AssertHiddenAsync()
        {
            Assert.Equal(2, Spool.Count);
            Assert.Null(await Spool.FindAsync(ended, Ct));
            Assert.Null(await Spool.OpenContentAsync(ended, Ct));
            Assert.False(await Spool.ChangeAsync(ended, static entry => entry.State with { Held = true }, Ct));
            Assert.Equal([first, last], (await Spool.ListAsync(QueueFilter.Everything, after: null, most: 10, Ct)).Select(static e => e.Envelope.Id));
            await using var others = await Spool.OpenClaimsAsync(Ct);
            Assert.Equal([first, last], Ids(await others.ClaimDueAsync(T0.AddHours(1), most: 10, shelf: null, Ct)).OrderBy(id => id == last));
            var kept = Assert.Single(await Spool.ListEndedAsync(Ct));
            Assert.Equal((ended, true, T0, 1), (kept.Envelope.Id, kept.State.HasEnded, kept.State.TriedAt, kept.State.Recipients[0].Attempt));
        }
    }

    [Fact]
    public async Task A_message_that_another_has_does_not_end_by_the_word_of_who_had_it()
    {
        var id = await AddAsync(minutes: 0);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, id);
        await Spool.ChangeAsync(id, static entry => entry.State with { Held = true }, Ct);

        Assert.Equal(SpoolClaim.Answer.Stale, await claims.EndAsync(claim, claim.Entry.State with { HasEnded = true }, Ct));

        Assert.Equal(1, Spool.Count);
        Assert.Empty(await Spool.ListEndedAsync(Ct));
    }

    /// <summary>A report and what it tells of: with one of them missing a sender would hear of it twice, or never.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_report_and_the_state_that_it_tells_of_are_stored_in_one_step(bool isKilled)
    {
        var (told, other) = (await AddAsync(minutes: 0, recipients: 2), await AddAsync(minutes: 0));
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, told);
        var failed = claim.Entry.State with
        {
            Attempts = 1,
            NotReported = "suppressed: one\nsuppressed: two",
            Recipients = claim.Entry.State.Recipients.SetItem(1, new RecipientState(RecipientStatus.Failed, "550 no") { Attempt = 1 }),
        };
        var report = Samples.Envelope() with { ReportOf = new ReportOrigin(told, "1 of 2 recipients failed: 550 no") };
        await using (var draft = Spool.CreateDraft())
        {
            await draft.AppendAsync(Samples.Content(100_000), Ct);
            var commit = await claims.CommitAsync(claim, failed, draft, report, DeliveryState.Fresh(1, T0), Ct);
            Assert.Equal(report, Assert.IsType<SpoolCommit.Durable>(commit).Entry.Envelope);
        }

        Assert.Equal((3, 1), (Spool.Count, Spool.Tally.Claimed));
        AssertTold();
        if (await (isKilled ? KillAsync() : ReopenAsync()))
        {
            Assert.Equal(3, Spool.Count);
            AssertTold();
            Assert.Equal(100_000, Spool.Find(report.Id)!.Size);
            return;
        }

        // The claim is still good, and what is recorded later counts.
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(claim, failed with { Attempts = 2 }, Ct));
        Assert.Equal(2, Spool.Find(told)!.State.Attempts);
        Assert.Equal(0, Spool.Find(other)!.State.Attempts);

        void AssertTold()
        {
            var state = Spool.Find(told)!.State;
            Assert.Equal((1, "suppressed: one\nsuppressed: two"), (state.Attempts, state.NotReported));
            Assert.Equal([RecipientStatus.Pending, RecipientStatus.Failed], state.Recipients.Select(static r => r.Status));
            Assert.Equal(report.ReportOf, Spool.Find(report.Id)!.Envelope.ReportOf);
        }
    }

    /// <summary>Many reports are put into one message: with some of them settled and some not, they would be sent twice, or never.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_settles_all_that_it_tells_of_or_nothing(bool isOutdated)
    {
        QueueId[] told = [await AddAsync(minutes: 0), await AddAsync(minutes: 0, recipients: 2), await AddAsync(minutes: 0)];
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var settled = new List<SpoolClaim.Settled>();
        foreach (var id in told)
        {
            var claim = await ClaimAsync(claims, id);
            settled.Add(new SpoolClaim.Settled(claim, claim.Entry.State with { Attempts = settled.Count + 1 }));
        }

        if (isOutdated)
            await Spool.ChangeAsync(told[2], static entry => entry.State with { Held = true }, Ct);
        var bundle = Samples.Envelope() with { ReportOf = new ReportOrigin(told[0], "3 reports in one message") { IsGathered = true } };
        await using (var draft = Spool.CreateDraft())
        {
            await draft.AppendAsync(Samples.Content(100_000), Ct);
            var commit = await claims.CommitAsync(settled, draft, bundle, DeliveryState.Fresh(1, T0), Ct);
            Assert.Equal(isOutdated, commit is SpoolCommit.Outdated);
        }

        AssertSettled();
        if (await KillAsync())
            AssertSettled();

        void AssertSettled()
        {
            Assert.Equal(isOutdated ? [0, 0, 0] : [1, 2, 3], told.Select(id => Spool.Find(id)!.State.Attempts));
            Assert.Equal(isOutdated ? null : bundle.ReportOf, Spool.Find(bundle.Id)?.Envelope.ReportOf);
        }
    }

    [Fact]
    public async Task What_is_recorded_behind_a_report_counts_also_when_it_is_opened_again()
    {
        var id = await AddAsync(minutes: 0);
        var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, id);
        var report = Samples.Envelope();
        await using (var draft = Spool.CreateDraft())
            Assert.IsType<SpoolCommit.Durable>(await claims.CommitAsync(claim, claim.Entry.State with { Attempts = 1 }, draft, report, DeliveryState.Fresh(1, T0), Ct));
        Assert.Equal(SpoolClaim.Answer.Done, await claims.RecordAsync(claim, claim.Entry.State with { Attempts = 2, NextAttempt = T0.AddHours(1) }, Ct));
        Assert.True(Spool.Remove(report.Id));
        await claims.ReleaseAsync(claim, shelf: null, Ct);
        await ReopenAsync();
        Assert.Equal([id], Ids(await ClaimAllAsync(T0.AddHours(1))));
        Assert.Empty(Ids(await ClaimAllAsync(T0.AddMinutes(59))));

        async Task<SpoolClaim.Batch> ClaimAllAsync(DateTimeOffset now)
        {
            await using var again = await Spool.OpenClaimsAsync(Ct);
            return await again.ClaimDueAsync(now, most: 10, shelf: null, Ct);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_report_by_a_claim_that_does_not_count_is_not_stored_and_can_be_by_itself(bool isGone)
    {
        var id = await AddAsync(minutes: 0);
        await using var claims = await Spool.OpenClaimsAsync(Ct);
        var claim = await ClaimAsync(claims, id);
        if (isGone)
            Assert.True(Spool.Remove(id));
        else
            await Spool.ChangeAsync(id, static entry => entry.State with { Held = true }, Ct);
        var report = Samples.Envelope();
        await using var draft = Spool.CreateDraft();
        await draft.AppendAsync(Samples.Content(100_000), Ct);

        Assert.IsType<SpoolCommit.Outdated>(await claims.CommitAsync(claim, claim.Entry.State with { Attempts = 1 }, draft, report, DeliveryState.Fresh(1, T0), Ct));
        Assert.Null(Spool.Find(report.Id));
        Assert.True(isGone ? Spool.Find(id) is null : Spool.Find(id) is { State: { Held: true, Attempts: 0 } });

        Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(report, DeliveryState.Fresh(1, T0), Ct));
        Assert.Equal(Samples.Content(100_000), await Samples.ReadAsync(Spool, report.Id));
    }

    private static IEnumerable<QueueId> Ids(SpoolClaim.Batch batch) => batch.Claims.Select(static claim => claim.Id);

    /// <summary>A message that is due so many minutes after <see cref="T0"/>.</summary>
    private async Task<QueueId> AddAsync(int minutes, int recipients = 1)
    {
        var envelope = Samples.Envelope(recipients);
        await using var draft = Spool.CreateDraft();
        await draft.AppendAsync(Samples.Content(10), Ct);
        var state = DeliveryState.Fresh(recipients, T0.AddMinutes(minutes));
        return Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, state, Ct)).Entry.Envelope.Id;
    }

    private async Task<QueueId> AddNowAsync(DateTimeOffset due)
    {
        await using var draft = Spool.CreateDraft();
        await draft.AppendAsync(Samples.Content(10), Ct);
        var envelope = Samples.Envelope() with { Id = QueueId.New(Clock) };
        return Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, DeliveryState.Fresh(1, due), Ct)).Entry.Envelope.Id;
    }

    private static async Task<SpoolClaim> ClaimAsync(ISpoolClaims claims, QueueId id) => (await claims.ClaimAsync(id, Ct))!;
}
