using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The claims of one claimant on a <see cref="SegmentSpool"/>: kept in memory only, as nobody outlives the process that has the directory.
/// </summary>
internal sealed class SegmentClaims(SegmentSpool spool, SpoolIndex index, DueIndex.Claimant me) : ISpoolClaims
{
    public TimeSpan Lease => me.Lease;

    public ValueTask<bool> RenewAsync(CancellationToken ct)
    {
        lock (index.Gate)
            return new(index.Due.Renew(me));
    }

    public ValueTask<SpoolClaim.Batch> ClaimDueAsync(DateTimeOffset now, int most, string? shelf, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (index.Gate)
            return new(index.Due.ClaimDue(me, now, most, shelf));
    }

    public async ValueTask<SpoolClaim?> ClaimAsync(QueueId id, CancellationToken ct)
    {
        while (true)
        {
            Task? change;
            lock (index.Gate)
            {
                if (!spool.IsChanging(id, out change))
                    return index.TryFind(id, out var message) ? index.Due.Reclaim(me, message) : null;
            }

            await change.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
        }
    }

    public ValueTask<IReadOnlyList<SpoolClaim>> ClaimFreeAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var claims = new List<SpoolClaim>();
        lock (index.Gate)
        {
            foreach (var id in ids)
            {
                // Somebody else is changing it: it is not free either.
                if (!spool.IsChanging(id, out _)
                    && index.TryFind(id, out var message)
                    && index.Due.ClaimFree(me, message) is { } claim)
                    claims.Add(claim);
            }
        }

        return new(claims);
    }

    public async ValueTask<SpoolClaim.Answer> RecordAsync(SpoolClaim claim, DeliveryState state, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            StateRequest? request = null;
            Task? change;
            lock (index.Gate)
            {
                if (!index.TryFind(claim.Id, out var message))
                    return SpoolClaim.Answer.Gone;
                SpoolRules.Check(message.Entry!.Envelope, state);
                if (index.Due.Check(me, claim) is not SpoolClaim.Answer.Done and var answer)
                    return answer;
                // One that was handed over before the claim and is not in the entry yet: it outdates the claim when it gets there.
                if (!spool.IsChanging(claim.Id, out change))
                    spool.Submit(request = new StateRequest(index, message, state, me), claim.Id);
            }

            if (request is not null)
                return await spool.DoneAsync(request, claim.Id).ConfigureAwait(false) ? SpoolClaim.Answer.Done : SpoolClaim.Answer.Gone;
            await change!.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask<SpoolCommit> CommitAsync(
        IReadOnlyList<SpoolClaim.Settled> settled, ISpoolDraft draft, Envelope envelope, DeliveryState state, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            Settlement[]? settlements = null;
            ValueTask<SpoolCommit> commit = default;
            Task? change;
            lock (index.Gate)
            {
                if (!DoAllCount(settled))
                    return SpoolCommit.Outdated.Instance;
                if (!IsAnyChanging(settled, out change))
                {
                    settlements = [.. settled.Select(one => new Settlement(Find(one.Claim.Id), one.Changed, me))];
                    commit = ((SegmentDraft)draft).CommitWithAsync(envelope, state, settlements, ct);
                    if (!commit.IsCompleted)
                    {
                        foreach (var settlement in settlements)
                            spool.NoteChange(settlement.Id, settlement.Done);
                    }
                }
            }

            if (settlements is not null)
            {
                try
                {
                    return await commit.ConfigureAwait(false);
                }
                finally
                {
                    foreach (var settlement in settlements)
                        spool.EndChange(settlement.Id, settlement.Done);
                }
            }

            await change!.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public ValueTask<SpoolClaim.Answer> FinishAsync(SpoolClaim claim, CancellationToken ct)
    {
        lock (index.Gate)
        {
            if (!index.TryFind(claim.Id, out _))
                return new(SpoolClaim.Answer.Gone);
            var answer = index.Due.Check(me, claim);
            if (answer == SpoolClaim.Answer.Done)
                spool.Forget(claim.Id);
            return new(answer);
        }
    }

    public ValueTask<SpoolClaim.Answer> EndAsync(SpoolClaim claim, DeliveryState last, CancellationToken ct)
    {
        lock (index.Gate)
        {
            if (!index.TryFind(claim.Id, out var message))
                return new(SpoolClaim.Answer.Gone);
            SpoolRules.Check(message.Entry!.Envelope, last);
            var answer = index.Due.Check(me, claim);
            if (answer == SpoolClaim.Answer.Done)
            {
                index.End(message, last);
                spool.Submit(new EndRecord(index, message, last));
            }

            return new(answer);
        }
    }

    public ValueTask ReleaseAsync(SpoolClaim claim, string? shelf, CancellationToken ct)
    {
        lock (index.Gate)
            index.Due.Release(me, claim, shelf);
        spool.TellIfEarlier();
        return ValueTask.CompletedTask;
    }

    public ValueTask ClearShelfAsync(string shelf, CancellationToken ct)
    {
        lock (index.Gate)
            index.Due.Clear(shelf);
        spool.TellIfEarlier();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        lock (index.Gate)
            index.Due.Leave(me);
        return ValueTask.CompletedTask;
    }

    /// <summary>With the gate held: whether each claim is the newest word on a message that is there.</summary>
    private bool DoAllCount(IReadOnlyList<SpoolClaim.Settled> settled)
    {
        foreach (var (claim, changed) in settled)
        {
            if (!index.TryFind(claim.Id, out var message))
                return false;
            SpoolRules.Check(message.Entry!.Envelope, changed);
            if (index.Due.Check(me, claim) != SpoolClaim.Answer.Done)
                return false;
        }

        return true;
    }

    /// <summary>With the gate held: whether a change of one of them is on its way to the disk.</summary>
    private bool IsAnyChanging(IReadOnlyList<SpoolClaim.Settled> settled, out Task? change)
    {
        change = null;
        foreach (var (claim, _) in settled)
        {
            if (spool.IsChanging(claim.Id, out change))
                return true;
        }

        return false;
    }

    private StoredMessage Find(QueueId id) =>
        index.TryFind(id, out var message) ? message : throw new InvalidOperationException($"{id} is gone");
}
