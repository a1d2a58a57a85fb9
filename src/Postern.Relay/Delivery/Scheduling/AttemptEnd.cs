using System.Collections.Immutable;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Delivery.Senders;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>What becomes of a message when all next hops of an attempt have answered: reports, the next attempt, or the end.</summary>
internal sealed class AttemptEnd(
    DeliveryWork work, Timekeeper time, StatusReporter reporter, StateRecorder recorder, Action<TrackedMessage> whenDone)
{
    public async ValueTask EndAsync(TrackedMessage message)
    {
        if (message.IsRemoved)
        {
            whenDone(message);
            return;
        }

        var envelope = message.Envelope;
        if (ReportWish.HasNoneOnSuccess(envelope) && Array.TrueForAll(message.Outcomes, static o => o is Outcome.Delivered))
        {
            await recorder.FinishAsync(message, message.State with { Attempts = message.State.Attempts + 1 }, work.Now)
                .ConfigureAwait(false);
            whenDone(message);
            return;
        }

        var before = message.State;
        var now = work.Now;
        var isOurs = Array.TrueForAll(message.Outcomes, static o => o is null or Outcome.Deferred { IsOurs: true });
        // Our shortage is over soon or never, and gives nothing up; nor does a clock that was set while the attempt was under way.
        var isUndecided = isOurs || message.BegunUnder != await time.LookAsync().ConfigureAwait(false);
        if (!isUndecided && envelope.Deadline is not null && message.BegunUnder > 0)
            message.Memory.TriedUnder = message.BegunUnder;
        var isMistake = Array.Exists(message.Outcomes, static o => o is Outcome.Deferred { IsMistake: true });
        var next = isUndecided ? now + Options.Retry.Pause(attempts: 1, work.Chance())
            // The last attempt of what the server held: there is no other.
            : isMistake && before.HeldByServerAt is not null ? null
            : Next(message, before, now);
        var result = AttemptResult.Of(envelope, before, message.Outcomes, now, next, isUndecided ? TimeSpan.MaxValue : Options.Retry.Warn);
        var state = isOurs ? result.State with { Attempts = before.Attempts } : result.State;
        TellOfDeferrals(message, state.Attempts, next, now);
        TellOfHardBounces(message);
        (state, var isReported) = await ReportAsync(message, result, state, next, now).ConfigureAwait(false);
        if (state.IsFinished)
        {
            await recorder.FinishAsync(message, state, now).ConfigureAwait(false);
            whenDone(message);
            return;
        }

        await CountAsync(message, isOurs, isMistake).ConfigureAwait(false);
        await GoOnAsync(
            message,
            await HoldOrNotAsync(message, before, state, isMistake, isKept: isUndecided || !isReported, now).ConfigureAwait(false))
            .ConfigureAwait(false);
    }

    /// <summary>An attempt whose end went wrong here.</summary>
    public async ValueTask EndByMistakeAsync(TrackedMessage message, bool isOurs)
    {
        try
        {
            if (message is not { IsRemoved: false, OpenJobs: 0 })
                return;                             // the last job will end it
            DeliveryState? held = null;
            if (!isOurs && ++message.Memory.InternalErrors >= Options.InternalErrorsBeforeHold && message.State.HeldByServerAt is null)
                held = await HoldHereAsync(message, message.State, work.Now).ConfigureAwait(false) is { Held: true } state ? state : null;
            bool isFinished;
            lock (work.Gate)
            {
                if (message.IsRemoved)
                    return;
                message.State = AfterMistake(message, isOurs, held);
                isFinished = message.State.IsFinished;
            }

            // Only what the sender was to hear went wrong: another attempt would be another copy.
            if (isFinished)
            {
                await recorder.FinishAsync(message, message.State, work.Now).ConfigureAwait(false);
                whenDone(message);
                return;
            }

            await GoOnAsync(message, message.State).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            work.Tell("delivery-error", $"{message.Id}: {mistake}");
        }
    }

    private ValueTask EndByMistakeAsync(TrackedMessage message, Exception mistake)
    {
        work.Tell("delivery-error", $"{message.Id}: {mistake}");
        return EndByMistakeAsync(message, isOurs: OwnShortage.WordsOf(mistake) is not null);
    }

    /// <summary>An operator wants recipients given up: what is at work already ends as an attempt in which they failed.</summary>
    public async Task ReturnAsync(TrackedMessage message, ReturnOrder order)
    {
        try
        {
            lock (work.Gate)
            {
                message.State = message.State with { Return = null };
                foreach (var i in order.Recipients.Where(i => message.State.Recipients[i].Status == RecipientStatus.Pending))
                    message.Outcomes[i] = new Outcome.Failed(Remote: null, order.Why, Tls: null, "5.0.0")
                    {
                        Cause = DeliveryCause.Returned,
                    };
            }

            for (var i = 0; i < message.Outcomes.Length; i++)
            {
                if (message.Outcomes[i] is { } failed)
                    work.Audit.Append(
                        DeliveryEvents.Of(work.Now, message.Envelope, i, failed, work.Options, message.State.Attempts + 1));
            }

            await EndAsync(message).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            await EndByMistakeAsync(message, mistake).ConfigureAwait(false);
        }
    }

    /// <summary>It need not be tried to know what comes of it, and has its outcomes.</summary>
    public async Task PutOffAsync(TrackedMessage message)
    {
        try
        {
            await EndAsync(message).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            await EndByMistakeAsync(message, mistake).ConfigureAwait(false);
        }
    }

    /// <summary>Its sender hears that its turn has not come, which its outcomes say. That is no attempt, and all else stays.</summary>
    public async Task TellOfDelayAsync(TrackedMessage message)
    {
        try
        {
            var (before, now) = (message.State, work.Now);
            var result = AttemptResult.Of(message.Envelope, before, message.Outcomes, now, before.NextAttempt, Options.Retry.Warn);
            var told = before with { Reported = before.Reported | result.DelaysToReport };
            var delays = await ReportAsync(message, result.Delayed, told, now).ConfigureAwait(false);
            if (delays.IsDone)
                await GoOnAsync(message, told).ConfigureAwait(false);
            else
                await GiveBackAsync(message).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            await EndByMistakeAsync(message, mistake).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Its last jobs have no route any more, or were taken back: what came of the others counts, and where nothing did there was no
    /// attempt.
    /// </summary>
    public async Task EndRecalledAsync(TrackedMessage message)
    {
        try
        {
            lock (work.Gate)
                message.IsHoldWanted |= message.State.Held;
            if (Array.Exists(message.Outcomes, static o => o is not null))
                await EndAsync(message).ConfigureAwait(false);
            else
                await GiveBackAsync(message).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            await EndByMistakeAsync(message, mistake).ConfigureAwait(false);
        }
    }

    /// <summary>Nothing is left to deliver, without an attempt.</summary>
    public async ValueTask FinishAsync(TrackedMessage message)
    {
        await recorder.FinishAsync(message, message.State, work.Now).ConfigureAwait(false);
        whenDone(message);
    }

    /// <summary>Gives a message back whose state is stored, without an attempt: it is due when that says so.</summary>
    public async ValueTask GiveBackAsync(TrackedMessage message)
    {
        while (!IsAsWanted(message))
            await recorder.StoreAsync(message).ConfigureAwait(false);
        if (!message.IsRemoved && !message.IsUnrecorded)
            await work.ReleaseAsync(message, shelf: null).ConfigureAwait(false);
        whenDone(message);
    }

    private DeliveryOptions Options => work.Options;

    /// <summary>Stores a state, and gives the message back until its time.</summary>
    private async ValueTask GoOnAsync(TrackedMessage message, DeliveryState state)
    {
        lock (work.Gate)
        {
            if (message.IsRemoved)
                return;
            message.IsHoldWanted |= state.Held;
            message.State = state with { Held = message.IsHoldWanted };
        }

        await recorder.StoreAsync(message).ConfigureAwait(false);
        await GiveBackAsync(message).ConfigureAwait(false);
    }

    /// <summary>False when an operator held or released the message while its state was being stored: that must be stored first.</summary>
    private bool IsAsWanted(TrackedMessage message)
    {
        lock (work.Gate)
        {
            if (message.IsRemoved || message.IsUnrecorded || message.State.Held == message.IsHoldWanted)
                return true;
            message.State = message.State with { Held = message.IsHoldWanted, HeldByServerAt = null };
            return false;
        }
    }

    /// <summary>Of what is put off, and of what is put off no more: its time is over, and it has failed.</summary>
    private void TellOfDeferrals(TrackedMessage message, int attempt, DateTimeOffset? next, DateTimeOffset now)
    {
        for (var i = 0; i < message.Outcomes.Length; i++)
        {
            if (message.Outcomes[i] is Outcome.Deferred deferred)
                work.Audit.Append(
                    DeliveryEvents.Of(
                        now,
                        message.Envelope,
                        i,
                        next is null ? AttemptResult.GivenUp(message.Envelope, deferred, now) : deferred,
                        work.Options,
                        attempt,
                        next,
                        message.SignedBy,
                        work.SentAs(message.Envelope, i)));
        }
    }

    private void TellOfHardBounces(TrackedMessage message)
    {
        // A report is nobody's mail: whom it does not reach would be kept from everybody's.
        if (message.Envelope.ReportOf is not null || work.OnHardBounce is not { } listener)
            return;
        for (var i = 0; i < message.Outcomes.Length; i++)
        {
            if (message.Outcomes[i] is Outcome.Failed { IsVerbatim: true } failed
                && Options.Bounces.WordOf(failed) is { } word
                && BounceCategory.Find(word) is { IsHard: true })
                listener(new HardBounce(message.Id, message.Envelope.Tenant, message.Envelope.Recipients[i], word, failed.Reply)
                {
                    Envelope = message.Envelope,
                });
        }
    }

    private async ValueTask CountAsync(TrackedMessage message, bool isOurs, bool isMistake)
    {
        if (!isOurs && !isMistake && message.Known is null)
            return;
        var memory = message.Memory;
        memory.Shortages = isOurs ? memory.Shortages + 1 : 0;
        if (!isOurs)
            memory.InternalErrors = isMistake ? memory.InternalErrors + 1 : 0;
        // It is tried on, and never given up for this; but somebody must know. While that cannot be stored either, it is tried with the
        // next attempt.
        if (memory.Shortages != Options.ShortagesBeforeWord)
            return;
        var why = message.Outcomes.FirstOrDefault(static o => o is Outcome.Deferred { IsOurs: true })?.Reply ?? "this server ran short";
        if (!await reporter.TellPostmasterAsync(message.Envelope, why, until: null, work.Spool.Tally.HeldByServer, CancellationToken.None)
            .ConfigureAwait(false))
            memory.Shortages--;
    }

    /// <param name="isKept">Nothing was decided: what the server held it holds on.</param>
    private ValueTask<DeliveryState> HoldOrNotAsync(
        TrackedMessage message, DeliveryState before, DeliveryState state, bool isMistake, bool isKept, DateTimeOffset now) =>
        before.HeldByServerAt is { } since && isKept ? new(state with { Held = true, HeldByServerAt = since })
        : isMistake && message.Memory.InternalErrors >= Options.InternalErrorsBeforeHold ? HoldHereAsync(message, state, now)
        : new(state with { Held = false, HeldByServerAt = null });

    /// <summary>
    /// Holds what fails here again and again, until an operator or the end of the time that any message has. Its postmaster hears of it
    /// first; while that cannot be stored, it is tried on by the schedule.
    /// </summary>
    private async ValueTask<DeliveryState> HoldHereAsync(TrackedMessage message, DeliveryState state, DateTimeOffset now)
    {
        var until = now + Options.Retry.GiveUp;
        var why = message.Outcomes.FirstOrDefault(static o => o is Outcome.Deferred { IsMistake: true })?.Reply
            ?? "what follows an attempt failed";
        if (!await reporter.TellPostmasterAsync(message.Envelope, why, until, work.Spool.Tally.HeldByServer + 1, CancellationToken.None)
            .ConfigureAwait(false))
            return state with { Held = false, HeldByServerAt = null };
        work.Audit.Append(DeliveryEvents.Held(now, message.Id, until, message.Memory.InternalErrors));
        return state with { Held = true, HeldByServerAt = now, NextAttempt = until };
    }

    /// <summary>The next attempt; the deadline that a sender set is one of its times. Null to give up.</summary>
    private DateTimeOffset? Next(TrackedMessage message, DeliveryState before, DateTimeOffset now)
    {
        var envelope = message.Envelope;
        if (envelope.Deadline?.IsOver(now) == true)
            return null;
        var next = work.Paces.Table.HasRetry
            ? Soonest(message, before, now)
            : Options.Retry.Next(
                before.Attempts + 1,
                envelope.ReleasedAt,
                now,
                Chance(message, before, now),
                PaceOf(message.Outcomes),
                envelope.Sender.IsNull);
        return envelope.Deadline is { At: var deadline } && now < deadline && deadline < next ? deadline : next;
    }

    /// <summary>What was put off, and not tried, as nobody answers comes again with all that waits for the same destination.</summary>
    private double Chance(TrackedMessage message, DeliveryState before, DateTimeOffset now) =>
        Array.FindIndex(message.Outcomes, static o => o is not null) is >= 0 and var first
        && Array.TrueForAll(message.Outcomes, static o => o is null or Outcome.Deferred { IsSuspended: true, IsUnreachable: true })
            ? Options.Retry.Together(before.Attempts + 1, now, work.HopOf(message.Envelope, before, first).GetHashCode())
            : work.Chance();

    /// <summary>The same where destinations have schedules of their own: each recipient by that of its own.</summary>
    private DateTimeOffset? Soonest(TrackedMessage message, DeliveryState before, DateTimeOffset now)
    {
        var envelope = message.Envelope;
        var chance = work.Chance();
        DateTimeOffset? soonest = null;
        for (var i = 0; i < message.Outcomes.Length; i++)
        {
            if (message.Outcomes[i] is Outcome.Deferred deferred
                && work.Paces.RetryOf(work.HopOf(envelope, message.State, i), envelope.Tenant, Options.Retry).Next(
                    before.Attempts + 1, envelope.ReleasedAt, now, chance, deferred.Pace, envelope.Sender.IsNull) is { } next
                && !(soonest < next))
                soonest = next;
        }

        return soonest;
    }

    /// <summary>All recipients that wait are tried together: the one that asks for the soonest decides.</summary>
    private static RetryPace PaceOf(Outcome?[] outcomes)
    {
        var pace = RetryPace.Late;
        var isAny = false;
        foreach (var outcome in outcomes)
        {
            if (outcome is not Outcome.Deferred deferred)
                continue;
            isAny = true;
            switch (deferred.Pace)
            {
                case RetryPace.Soon:
                    return RetryPace.Soon;
                case RetryPace.Usual:
                    pace = RetryPace.Usual;
                    break;
            }
        }

        return isAny ? pace : RetryPace.Usual;
    }

    /// <summary>
    /// Tells the sender what it is to hear. Each report is durable together with what it tells of. What comes of it, and whether the
    /// failures are told or must not be.
    /// </summary>
    private async ValueTask<(DeliveryState State, bool IsReported)> ReportAsync(
        TrackedMessage message, AttemptResult result, DeliveryState state, DateTimeOffset? next, DateTimeOffset now)
    {
        var failures = await ReportAsync(message, result.Failures, state, now).ConfigureAwait(false);
        if (!failures.IsDone)
            state = result.Unreported(message.State, next ?? now + Options.Retry.Pause(state.Attempts, work.Chance()));
        var relayed = await ReportAsync(message, result.Relayed, state, now).ConfigureAwait(false);
        var delayed = state with { Reported = state.Reported | result.DelaysToReport };
        var delays = await ReportAsync(message, result.Delayed, delayed, now).ConfigureAwait(false);
        if (!result.Delayed.IsEmpty && delays.IsDone)
            state = delayed;
        if ((failures.WhyNot ?? relayed.WhyNot ?? delays.WhyNot) is not null)
            state = state with
            {
                NotReported = string.Join('\n', new[] { failures.WhyNot, relayed.WhyNot, delays.WhyNot }.OfType<string>()),
            };
        return (state, failures.IsDone);
    }

    private ValueTask<ReportOutcome> ReportAsync(
        TrackedMessage message, ImmutableArray<RecipientReport> reports, DeliveryState told, DateTimeOffset now) =>
        reports.IsEmpty ? new(new ReportOutcome(IsDone: true))
        : reports.Length > 1 && message.Envelope.Parameters.Verp is not null ? ReportEachAsync(message, reports, told, now)
        : reporter.ReportAsync(
            SentAs.Reported(message.Envelope, reports[0].Recipient),
            reports,
            now,
            (draft, envelope, state) => recorder.CommitAsync(message, told, draft, envelope, state),
            CancellationToken.None);

    /// <summary>
    /// Each recipient has a sender of its own, and so each has a report of its own. The last is stored with what all tell of: after a crash
    /// those before it may come once more.
    /// </summary>
    private async ValueTask<ReportOutcome> ReportEachAsync(
        TrackedMessage message, ImmutableArray<RecipientReport> reports, DeliveryState told, DateTimeOffset now)
    {
        foreach (var report in reports[..^1])
        {
            var outcome = await reporter.ReportAsync(
                SentAs.Reported(message.Envelope, report.Recipient),
                [report],
                now,
                static (draft, envelope, state) => draft.CommitAsync(envelope, state, CancellationToken.None),
                CancellationToken.None).ConfigureAwait(false);
            if (!outcome.IsDone)
                return outcome;
        }

        return await ReportAsync(message, [reports[^1]], told, now).ConfigureAwait(false);
    }

    /// <summary>What was delivered stays delivered. Our shortage counts for nothing, all else as an attempt and towards a hold.</summary>
    /// <param name="held">What the hold of the server makes of the state, where there have been enough mistakes; else null.</param>
    private DeliveryState AfterMistake(TrackedMessage message, bool isOurs, DeliveryState? held)
    {
        var before = message.State;
        var attempts = before.Attempts + (isOurs ? 0 : 1);
        var pause = Options.Retry.Pause(Math.Max(attempts, 1), work.Chance());
        // What was held for its mistakes already stays so: it cannot even be given up.
        var since = held?.HeldByServerAt ?? before.HeldByServerAt;
        return before with
        {
            Attempts = attempts,
            NextAttempt = held?.NextAttempt ?? work.Now + (before.HeldByServerAt is null || isOurs ? pause : Options.Retry.GiveUp),
            Held = message.IsHoldWanted || since is not null,
            HeldByServerAt = message.IsHoldWanted ? null : since,
            Recipients =
            [
                .. before.Recipients.Select(
                    (r, i) => message.Outcomes[i] is Outcome.Delivered delivered ? delivered.ToState(before.Attempts + 1) : r),
            ],
        };
    }
}
