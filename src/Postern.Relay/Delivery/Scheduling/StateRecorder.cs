using Postern.Relay.Audit;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Writes what attempts came to. Where somebody else changed the message meanwhile, both count: who was delivered stays delivered, and an
/// operator's word stays.
/// </summary>
internal sealed class StateRecorder(DeliveryWork work)
{
    /// <summary>
    /// Writes the state as it is when the write begins. A disk that cannot is reported; the state in memory goes on, and the claim stays.
    /// </summary>
    public async ValueTask StoreAsync(TrackedMessage message)
    {
        SemaphoreSlim writing;
        lock (work.Gate)
            writing = message.Writing ??= new SemaphoreSlim(1, 1);
        await writing.WaitAsync().ConfigureAwait(false);
        try
        {
            while (!await TryRecordAsync(message).ConfigureAwait(false))
            {
            }
        }
        catch (IOException e)
        {
            lock (work.Gate)
                message.IsUnrecorded = true;
            work.Tell("spool-error", $"{message.Id}: {e.Message}");
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>
    /// Makes a report durable together with the state that it tells of, so that a crash leaves both or neither. Where somebody else changed
    /// the message meanwhile, the report stands alone, and the state follows as after any attempt.
    /// </summary>
    /// <param name="standsAlone">
    /// False: then it is not stored, and the answer is <see cref="SpoolCommit.Outdated"/>.
    /// </param>
    public async ValueTask<SpoolCommit> CommitAsync(
        TrackedMessage message,
        DeliveryState told,
        ISpoolDraft draft,
        Envelope envelope,
        DeliveryState state,
        bool standsAlone = true)
    {
        SemaphoreSlim writing;
        lock (work.Gate)
            writing = message.Writing ??= new SemaphoreSlim(1, 1);
        await writing.WaitAsync().ConfigureAwait(false);
        try
        {
            SpoolClaim claim;
            lock (work.Gate)
            {
                claim = message.Claim;
                told = told with { Held = told.Held || message.IsHoldWanted };
            }

            var commit = await work.Claims.CommitAsync(claim, told, draft, envelope, state, CancellationToken.None).ConfigureAwait(false);
            if (commit is SpoolCommit.Outdated && standsAlone)
                return await draft.CommitAsync(envelope, state, CancellationToken.None).ConfigureAwait(false);
            if (commit is SpoolCommit.Durable)
            {
                lock (work.Gate)
                    message.Claim = claim with { Entry = claim.Entry with { State = told } };
            }

            return commit;
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>
    /// Nothing is left to deliver and all is told: takes the message out of the spool, which keeps the last state until the events are on
    /// the disk.
    /// </summary>
    /// <param name="state">What the attempt came to; what its outcomes say beside it is added.</param>
    /// <param name="at">When the attempt ended.</param>
    public async ValueTask FinishAsync(TrackedMessage message, DeliveryState state, DateTimeOffset at)
    {
        var last = After(message, state) with { HasEnded = true, TriedAt = at };
        SpoolClaim.Answer answer;
        do
            answer = await work.Claims.EndAsync(message.Claim, last, CancellationToken.None).ConfigureAwait(false);
        while (answer == SpoolClaim.Answer.Stale && await ReadAgainAsync(message).ConfigureAwait(false));
        work.Forget(message);
        // What is another's by now must not be removed here.
        if (answer == SpoolClaim.Answer.Done)
            work.Ended.Add(message.Claim.Entry with { State = last });
    }

    /// <summary>Joins two changes that were made to the same state.</summary>
    /// <param name="known">The state that <paramref name="ours"/> was made of.</param>
    /// <param name="theirs">The one that is stored.</param>
    internal static DeliveryState Merge(DeliveryState known, DeliveryState theirs, DeliveryState ours)
    {
        var isHeldByOperator = theirs is { Held: true, HeldByServerAt: null };
        // Only an operator ends a hold of the server.
        var isReleased = known.Held && !theirs.Held;
        return ours with
        {
            Attempts = Math.Max(theirs.Attempts, ours.Attempts),
            NextAttempt = theirs.NextAttempt != known.NextAttempt ? theirs.NextAttempt : ours.NextAttempt,
            Held = isHeldByOperator || (ours.Held && !isReleased),
            HeldByServerAt = isHeldByOperator || isReleased ? null : ours.HeldByServerAt,
            HeldFor = theirs.HeldFor,
            Reported = ours.Reported | theirs.Reported,
            Return = theirs.Return != known.Return ? theirs.Return : ours.Return,
            Via = theirs.Via != known.Via ? theirs.Via : ours.Via,
            Recipients =
            [
                .. ours.Recipients.Select(
                    (own, i) => own.Status == RecipientStatus.Pending && theirs.Recipients[i].Status != RecipientStatus.Pending
                        ? theirs.Recipients[i]
                        : own),
            ],
        };
    }

    private static RecipientState? After(Outcome? outcome, int attempt) =>
        outcome is Outcome.Delivered or Outcome.Failed ? outcome.ToState(attempt) : null;

    /// <summary>The state with what the attempt under way came to for those that it has as pending.</summary>
    private static DeliveryState After(TrackedMessage message, DeliveryState state) => state with
    {
        Recipients =
        [
            .. state.Recipients.Select((r, i) =>
                r.Status == RecipientStatus.Pending && i < message.Outcomes.Length
                    ? After(message.Outcomes[i], message.State.Attempts + 1) ?? r
                    : r),
        ],
    };

    private async ValueTask<bool> TryRecordAsync(TrackedMessage message)
    {
        SpoolClaim claim;
        DeliveryState state;
        lock (work.Gate)
        {
            (claim, state) = (message.Claim, message.State);
            // Of many hops that answer while one write is on its way, the next write has all.
            if (ReferenceEquals(claim.Entry.State, state) && !message.IsUnrecorded)
                return true;
        }

        switch (await work.Claims.RecordAsync(claim, state, CancellationToken.None).ConfigureAwait(false))
        {
            case SpoolClaim.Answer.Done:
                lock (work.Gate)
                {
                    message.IsUnrecorded = false;
                    message.Claim = claim with { Entry = claim.Entry with { State = state } };
                }

                return true;
            case SpoolClaim.Answer.Stale:
                return !await ReadAgainAsync(message).ConfigureAwait(false);
            default:
                work.Forget(message);
                return true;
        }
    }

    /// <summary>Learns how the message stands now; false when it is another's or gone, and nothing more is to be said of it here.</summary>
    private async ValueTask<bool> ReadAgainAsync(TrackedMessage message)
    {
        var known = message.Claim.Entry.State;
        if (await work.Claims.ClaimAsync(message.Id, CancellationToken.None).ConfigureAwait(false) is { } current)
        {
            lock (work.Gate)
            {
                message.State = Merge(known, current.Entry.State, message.State);
                message.IsHoldWanted = message.State.Held;
                message.Claim = current;
            }

            return true;
        }

        // Whoever has it now must not send what we have sent.
        DeliveryState ours;
        lock (work.Gate)
            ours = After(message, message.State);
        await work.Spool.ChangeAsync(
            message.Id,
            entry => entry.State with { Recipients = Merge(known, entry.State, ours).Recipients },
            CancellationToken.None).ConfigureAwait(false);
        work.Forget(message);
        return false;
    }
}

/// <summary>
/// Removes messages whose delivery is over from the spool when their events are on the disk, a second later or so: until then the spool can
/// tell the events again after a crash. The content of those that are to be kept is copied before. Nothing waits for it.
/// </summary>
internal sealed class EndedMail(ISpool spool, IAuditLog audit, Action<string, string> tell)
{
    private readonly Lock gate = new();
    private List<QueueId> waiting = [];
    private List<QueueId> ended = [];
    private List<SpoolEntry>? toKeep;
    private bool isRunning;

    /// <summary>Keeps the content of those that have that; null where nobody does. Set before anything ends.</summary>
    public IContentKeeper? Keeper { get; set; }

    /// <param name="entry">With its last state.</param>
    public void Add(SpoolEntry entry)
    {
        lock (gate)
        {
            waiting.Add(entry.Envelope.Id);
            if (entry.Envelope.KeepFor is not null && Keeper is not null)
                (toKeep ??= []).Add(entry);
            if (isRunning)
                return;
            isRunning = true;
        }

        _ = RunAsync();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            List<SpoolEntry>? keeping;
            lock (gate)
            {
                ended.Clear();
                isRunning = waiting.Count > 0;
                if (!isRunning)
                    return;
                (ended, waiting) = (waiting, ended);
                (keeping, toKeep) = (toKeep, null);
            }

            try
            {
                await audit.SafeAsync(CancellationToken.None).ConfigureAwait(false);
                if (keeping is not null)
                    await Keeper!.KeepAsync(spool, keeping, CancellationToken.None).ConfigureAwait(false);
                await spool.RemoveAllAsync(ended, CancellationToken.None).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // The end of the server: they are removed at the next start.
            }
            catch (Exception mistake)
            {
                // They are removed at the next start.
                tell("spool-error", $"{ended.Count} messages whose delivery is over stay in the spool: {mistake.Message}");
            }
        }
    }
}
