using Postern.Relay.Envelopes;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// Where mail goes without a server that is spoken to: a Maildir, a command, nowhere. A value, read from the <c>via</c> of a route by its
/// line in <see cref="Via.ViaSchemes"/>; equal places share a queue.
/// </summary>
internal interface IHopPlace
{
    /// <summary>As the operator wrote it, for logs and the queue listing.</summary>
    string Name { get; }

    /// <summary>What an operator should know of it that is no mistake; null for nothing.</summary>
    string? Doubt { get; }

    /// <summary>
    /// Delivers to one recipient. Whatever happens there is an outcome; an exception is a mistake here or unreadable content. It is called
    /// again for the same recipient when this server died before the outcome was recorded.
    /// </summary>
    ValueTask<Outcome> DeliverAsync(OutgoingMessage message, Mailbox recipient, PlaceContext context, CancellationToken ct);
}

/// <summary>What places are given by the server.</summary>
/// <param name="Hostname">Of this server.</param>
/// <param name="CommandTime">How long a command may take.</param>
internal sealed record PlaceContext(Domain Hostname, TimeSpan CommandTime, TimeProvider Clock)
{
    /// <summary>Waiting for the disk blocks a thread: few at a time.</summary>
    public SemaphoreSlim Disk { get; } = new(4);
}

/// <summary>Content whose message has a name in the queue.</summary>
internal interface IQueuedContent
{
    QueueId QueueId { get; }
}
