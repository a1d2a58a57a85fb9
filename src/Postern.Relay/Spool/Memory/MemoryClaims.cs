using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;

namespace Postern.Relay.Spool.Memory;

/// <summary>The claims of one claimant on a <see cref="MemorySpool"/>.</summary>
internal sealed class MemoryClaims(MemorySpool spool, DueIndex.Claimant me) : ISpoolClaims
{
    public TimeSpan Lease => me.Lease;

    public ValueTask<bool> RenewAsync(CancellationToken ct) => new(spool.Use(index => index.Renew(me)));

    public ValueTask<SpoolClaim.Batch> ClaimDueAsync(DateTimeOffset now, int most, string? shelf, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(spool.Use(index => index.ClaimDue(me, now, most, shelf)));
    }

    public ValueTask<SpoolClaim?> ClaimAsync(QueueId id, CancellationToken ct) =>
        new(spool.Use(index => spool.Held(id) is { } message ? index.Reclaim(me, message) : null));

    public ValueTask<IReadOnlyList<SpoolClaim>> ClaimFreeAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(spool.Use<IReadOnlyList<SpoolClaim>>(index =>
            [.. ids.Select(id => spool.Held(id) is { } message ? index.ClaimFree(me, message) : null).OfType<SpoolClaim>()]));
    }

    public ValueTask<SpoolClaim.Answer> RecordAsync(SpoolClaim claim, DeliveryState state, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(spool.Use(index =>
        {
            if (spool.Held(claim.Id) is not { } message)
                return SpoolClaim.Answer.Gone;
            SpoolRules.Check(message.Entry!.Envelope, state);
            var answer = index.Check(me, claim);
            if (answer == SpoolClaim.Answer.Done)
                message.Entry = message.Entry with { State = state };
            return answer;
        }));
    }

    public ValueTask<SpoolCommit> CommitAsync(
        IReadOnlyList<SpoolClaim.Settled> settled, ISpoolDraft draft, Envelope envelope, DeliveryState state, CancellationToken ct) =>
        ((MemoryDraft)draft).CommitWithAsync(
            envelope,
            state,
            index =>
            {
                foreach (var (claim, changed) in settled)
                {
                    if (spool.Held(claim.Id) is not { } message)
                        return false;
                    SpoolRules.Check(message.Entry!.Envelope, changed);
                    if (index.Check(me, claim) != SpoolClaim.Answer.Done)
                        return false;
                }

                foreach (var (claim, changed) in settled)
                {
                    var message = spool.Held(claim.Id)!;
                    message.Entry = message.Entry! with { State = changed };
                }

                return true;
            },
            ct);

    public ValueTask<SpoolClaim.Answer> FinishAsync(SpoolClaim claim, CancellationToken ct) => new(spool.Use(index =>
    {
        if (spool.Held(claim.Id) is null)
            return SpoolClaim.Answer.Gone;
        var answer = index.Check(me, claim);
        if (answer == SpoolClaim.Answer.Done)
            spool.Forget(claim.Id);
        return answer;
    }));

    public ValueTask<SpoolClaim.Answer> EndAsync(SpoolClaim claim, DeliveryState last, CancellationToken ct) => new(spool.Use(index =>
    {
        if (spool.Held(claim.Id) is not { } message)
            return SpoolClaim.Answer.Gone;
        SpoolRules.Check(message.Entry!.Envelope, last);
        var answer = index.Check(me, claim);
        if (answer == SpoolClaim.Answer.Done)
            spool.End(message, last);
        return answer;
    }));

    public ValueTask ReleaseAsync(SpoolClaim claim, string? shelf, CancellationToken ct)
    {
        spool.Use(index =>
        {
            index.Release(me, claim, shelf);
            return true;
        });
        return ValueTask.CompletedTask;
    }

    public ValueTask ClearShelfAsync(string shelf, CancellationToken ct)
    {
        spool.Use(index =>
        {
            index.Clear(shelf);
            return true;
        });
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        spool.Use(index =>
        {
            index.Leave(me);
            return true;
        });
        return ValueTask.CompletedTask;
    }
}
