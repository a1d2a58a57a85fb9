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
        SpoolClaim claim, DeliveryState changed, ISpoolDraft draft, Envelope envelope, DeliveryState state, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            Settlement? settlement = null;
            ValueTask<SpoolCommit> commit = default;
            Task? change;
            lock (index.Gate)
            {
                if (!index.TryFind(claim.Id, out var message))
                    return SpoolCommit.Outdated.Instance;
                SpoolRules.Check(message.Entry!.Envelope, changed);
                if (index.Due.Check(me, claim) != SpoolClaim.Answer.Done)
                    return SpoolCommit.Outdated.Instance;
                if (!spool.IsChanging(claim.Id, out change))
                {
                    settlement = new Settlement(message, changed, me);
                    commit = ((SegmentDraft)draft).CommitWithAsync(envelope, state, settlement, ct);
                    if (!commit.IsCompleted)
                        spool.NoteChange(claim.Id, settlement.Done);
                }
            }

            if (settlement is not null)
            {
                try
                {
                    return await commit.ConfigureAwait(false);
                }
                finally
                {
                    spool.EndChange(claim.Id, settlement.Done);
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
}
