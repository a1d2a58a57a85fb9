using Postern.Relay.Envelopes;

namespace Postern.Relay.Admin;

/// <summary>
/// Changes what happens next to one message. Each answers whether anything changed: false when the message is gone, or was so already.
/// A change is durable when it is answered, removal excepted (<see cref="Spool.ISpool.RemoveAsync"/>). A disk that fails throws <see cref="IOException"/>.
/// </summary>
public interface IQueueControl
{
    /// <summary>No attempt is begun until it is released; one that runs now comes to its end.</summary>
    ValueTask<bool> HoldAsync(QueueId id, CancellationToken ct);

    /// <summary>The opposite of hold; the message is due at once.</summary>
    ValueTask<bool> ReleaseAsync(QueueId id, CancellationToken ct);

    /// <summary>Due at once, whatever the schedule says. A message that is held, by an operator or for its sender, stays held.</summary>
    ValueTask<bool> RetryAsync(QueueId id, CancellationToken ct);

    /// <summary>Forgets the message without a bounce.</summary>
    ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct);
}
