using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Testing;

/// <summary>Starts the domains that it is given, one message each; <c>#</c> is never allowed.</summary>
public sealed class TestQueueStarter(params IReadOnlyCollection<string> domains) : IQueueStarter
{
    public ValueTask<QueueStart> StartAsync(SessionState session, QueueName queue, CancellationToken ct) => new(queue switch
    {
        { Scope: QueueScope.Queue } => new QueueStart.NotAllowed("no such queue"),
        _ when domains.Contains(queue.Domain.Text) => new QueueStart.Pending(1),
        _ => new QueueStart.NotAllowed("not served by ETRN"),
    });
}
