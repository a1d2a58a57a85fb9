using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Admin;

/// <summary>Changes a spool that no scheduler works on: what is written here is what the next start finds.</summary>
public sealed class SpoolQueueControl(ISpool spool, TimeProvider clock) : IQueueControl
{
    public ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct) =>
        ChangeAsync(id, static (entry, _) => entry.State is { Held: true, HeldByServerAt: null } ? null : entry.State with { Held = true, HeldByServerAt = null }, ct);

    public ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct) =>
        ChangeAsync(
            id,
            static (entry, now) => entry.State.Held ? entry.State with { Held = false, HeldByServerAt = null, NextAttempt = entry.State.IsForLater(entry.Envelope, now) ? entry.Envelope.ReleasedAt : now }
                : IsHeldBySender(entry, now) ? entry.State with { NextAttempt = now }
                : null,
            ct);

    public ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct) =>
        ChangeAsync(id, static (entry, now) => !entry.State.Held && entry.State.NextAttempt > now && !IsHeldBySender(entry, now) ? entry.State with { NextAttempt = now } : null, ct);

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct) => spool.RemoveAsync(id, ct);

    private static bool IsHeldBySender(SpoolEntry entry, DateTimeOffset now) =>
        entry.State.Attempts == 0 && entry.State.NextAttempt > now && entry.Envelope.HeldUntil > now;

    /// <param name="change">Null where there is nothing to change.</param>
    private ValueTask<bool> ChangeAsync(QueueId id, Func<SpoolEntry, DateTimeOffset, DeliveryState?> change, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return spool.ChangeAsync(id, entry => change(entry, now), ct);
    }
}
