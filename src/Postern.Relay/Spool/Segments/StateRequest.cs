namespace Postern.Relay.Spool.Segments;

/// <summary>Somebody stores a new delivery state.</summary>
internal sealed class StateRequest(SpoolIndex index, StoredMessage message, DeliveryState state) : StateRecord(index, message, state)
{
    private readonly TaskCompletionSource<bool> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>False when the message was removed before the state could be stored.</summary>
    public Task<bool> Done => done.Task;

    public override void Succeeded() => done.SetResult(WasThere);

    public override void Failed(WriteFailure failure) => done.SetException(failure.ToException());
}
