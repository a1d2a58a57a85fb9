using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Admin;

/// <summary>Changes the queue of a running server through its scheduler, which knows what is under way.</summary>
public sealed class SchedulerQueueControl(DeliveryScheduler scheduler, ISpool spool) : IQueueControl
{
    public async ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct) =>
        spool.Find(id) is { State: { Held: false } or { HeldByServerAt: not null } } && await scheduler.HoldAsync(id, ct) is QueueCommandOutcome.Done or QueueCommandOutcome.UnderWay;

    public async ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct) =>
        spool.Find(id) is { State.Held: true } or { State.Attempts: 0, Envelope.Parameters.HoldUntil: not null } && await scheduler.ReleaseAsync(id, ct) == QueueCommandOutcome.Done;

    public ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct) => new(scheduler.RetryNow(id) == QueueCommandOutcome.Done);

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct) =>
        new(scheduler.Remove(id) is QueueCommandOutcome.Done or QueueCommandOutcome.UnderWay);
}
