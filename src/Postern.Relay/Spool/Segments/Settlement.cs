using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>A claimed message whose state is recorded in the record of another, which tells of it.</summary>
/// <param name="by">The claimant that says so.</param>
internal sealed class Settlement(StoredMessage message, DeliveryState state, DueIndex.Claimant by)
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public QueueId Id => message.Id;

    public StoredSettlement Stored { get; } = new(message.Id.ToString(), StoredState.Of(state));

    /// <summary>It is written, or will not be.</summary>
    public Task Done => done.Task;

    /// <summary>With the index's gate held. The record keeps its segment alive for both messages.</summary>
    public void Apply(SpoolIndex index, RecordLocation record)
    {
        if (!message.HasEntry)
            return;
        index.SetState(message, state, record);
        if (!index.Due.IsOf(by, message))
            index.Due.Outdate(message);
    }

    public void End() => done.TrySetResult();
}
