using Postern.Relay.Admin;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Hosting;

/// <summary>The queue as commands see it: the running server's, or the spool itself when no server runs.</summary>
internal interface IQueueAdmin : IAsyncDisposable
{
    ValueTask<QueuePage> ListAsync(QueueFilter filter, int limit, QueueId? after, CancellationToken ct);

    /// <summary>Null when the message is not there.</summary>
    ValueTask<QueueItem?> FindAsync(QueueId id, CancellationToken ct);

    /// <summary>Writes a message as it is queued; false when it is not there.</summary>
    ValueTask<bool> CopyContentAsync(QueueId id, Stream to, CancellationToken ct);

    ValueTask<QueueChange> ApplyAsync(QueueAction action, QueueFilter filter, CancellationToken ct);
}
