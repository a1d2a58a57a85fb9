using Postern.Relay.Spool.Claims;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Segments;

/// <summary>Somebody stores a new delivery state.</summary>
/// <param name="by">The claimant that says so; null for anybody else.</param>
internal sealed class StateRequest(SpoolIndex index, StoredMessage message, DeliveryState state, DueIndex.Claimant? by = null)
    : StateRecord(index, message, state)
{
    private readonly TaskCompletionSource<bool> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>False when the message was removed before the state could be stored.</summary>
    public Task<bool> Done => done.Task;

    public override void Apply(SpoolIndex index)
    {
        base.Apply(index);
        // Whoever claimed the message while this was on its way to the disk must learn of it.
        if (WasThere && (by is null || !index.Due.IsOf(by, Message)))
            index.Due.Outdate(Message);
    }

    public override void Succeeded() => done.SetResult(WasThere);

    public override void Failed(WriteFailure failure) => done.SetException(failure.ToException());
}
