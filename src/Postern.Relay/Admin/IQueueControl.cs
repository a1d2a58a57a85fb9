using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Admin;

/// <summary>
/// Changes what happens next to one message. Each answers whether anything changed: false when the message is gone, or was so already. A
/// change is durable when it is answered, removal excepted (<see cref="Spool.ISpool.RemoveAsync"/>). A disk that fails throws
/// <see cref="IOException"/>.
/// </summary>
public interface IQueueControl
{
    /// <summary>
    /// No attempt is begun until it is released, also of what waits for its turn; what is being sent comes to its end.
    /// </summary>
    ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct);

    /// <summary>The opposite of hold; the message is due at once.</summary>
    ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct);

    /// <summary>Due at once, whatever the schedule says. A message that is held, by an operator or for its sender, stays held.</summary>
    ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct);

    /// <summary>Forgets the message without a bounce.</summary>
    ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct);

    /// <summary>The message was changed in the spool: whoever works on it goes by that, but for what is being sent.</summary>
    ValueTask RecallAsync(QueueId id);
}

/// <summary>Changes the queue of a running server through its scheduler, which knows what is under way.</summary>
public sealed class SchedulerQueueControl(DeliveryScheduler scheduler, ISpool spool) : IQueueControl
{
    public async ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct) =>
        await spool.FindAsync(id, ct) is { State: { Held: false } or { HeldByServerAt: not null } }
        && await scheduler.HoldAsync(id, ct) is QueueCommandOutcome.Done or QueueCommandOutcome.UnderWay;

    public async ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct) =>
        await spool.FindAsync(id, ct) is { State.Held: true } or { State.Attempts: 0, Envelope.HeldUntil: not null }
        && await scheduler.ReleaseAsync(id, ct) == QueueCommandOutcome.Done;

    public async ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct) =>
        await scheduler.RetryNowAsync(id, ct) == QueueCommandOutcome.Done;

    public async ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct) =>
        await scheduler.RemoveAsync(id, ct) is QueueCommandOutcome.Done or QueueCommandOutcome.UnderWay;

    public ValueTask RecallAsync(QueueId id) => scheduler.RecallAsync(id);
}

/// <summary>Changes a spool that no scheduler works on: what is written here is what the next start finds.</summary>
public sealed class SpoolQueueControl(ISpool spool, TimeProvider clock) : IQueueControl
{
    public ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct) =>
        ChangeAsync(
            id,
            static (entry, _) => entry.State is { Held: true, HeldByServerAt: null }
                ? null
                : entry.State with { Held = true, HeldByServerAt = null },
            ct);

    public ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct) =>
        ChangeAsync(
            id,
            static (entry, now) => entry.State.Held ? entry.State with
            {
                Held = false,
                HeldByServerAt = null,
                HeldFor = null,
                NextAttempt = entry.State.IsForLater(entry.Envelope, now) ? entry.Envelope.ReleasedAt : now,
            }
                : IsHeldBySender(entry, now) ? entry.State with { NextAttempt = now }
                : null,
            ct);

    public ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct) =>
        ChangeAsync(
            id,
            static (entry, now) => !entry.State.Held && entry.State.NextAttempt > now && !IsHeldBySender(entry, now)
                ? entry.State with { NextAttempt = now }
                : null,
            ct);

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct) => spool.RemoveAsync(id, ct);

    /// <summary>Nobody works on it.</summary>
    public ValueTask RecallAsync(QueueId id) => default;

    private static bool IsHeldBySender(SpoolEntry entry, DateTimeOffset now) =>
        entry.State.Attempts == 0 && entry.State.NextAttempt > now && entry.Envelope.HeldUntil > now;

    /// <param name="change">Null where there is nothing to change.</param>
    private ValueTask<bool> ChangeAsync(QueueId id, Func<SpoolEntry, DateTimeOffset, DeliveryState?> change, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return spool.ChangeAsync(id, entry => change(entry, now), ct);
    }
}
