using Postern.Smtp.Session;

namespace Postern.Smtp.Policy;

/// <summary>Starts the delivery of what waits for a host that is not always connected (RFC 1985).</summary>
public interface IQueueStarter
{
    /// <summary>Asked by anyone who may connect: decide by <paramref name="session"/> and <paramref name="queue"/>, and do a bounded amount of work.</summary>
    ValueTask<QueueStart> StartAsync(SessionState session, QueueName queue, CancellationToken ct);
}
