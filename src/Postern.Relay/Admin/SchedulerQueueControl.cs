using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Admin;

/// <summary>Changes the queue of a running server through its scheduler, which knows what is under way.</summary>
public sealed class SchedulerQueueControl(DeliveryScheduler scheduler, ISpool spool) : IQueueControl
{
    public async ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct) =>
        await spool.FindAsync(id, ct) is { State: { Held: false } or { HeldByServerAt: not null } } && await scheduler.HoldAsync(id, ct) is QueueCommandOutcome.Done or QueueCommandOutcome.UnderWay;

    public async ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct) =>
        await spool.FindAsync(id, ct) is { State.Held: true } or { State.Attempts: 0, Envelope.HeldUntil: not null } && await scheduler.ReleaseAsync(id, ct) == QueueCommandOutcome.Done;

    public async ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct) => await scheduler.RetryNowAsync(id, ct) == QueueCommandOutcome.Done;

    public async ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct) =>
        await scheduler.RemoveAsync(id, ct) is QueueCommandOutcome.Done or QueueCommandOutcome.UnderWay;
}
