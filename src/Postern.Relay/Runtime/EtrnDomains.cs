using System.Collections.Frozen;
using Postern.Relay.Delivery;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Runtime;

/// <summary>ETRN for the domains that the operator listed, each at most once a minute: anyone who may connect can ask.</summary>
internal sealed class EtrnDomains(FrozenSet<Domain> domains, DeliveryScheduler deliveries, TimeProvider clock) : IQueueStarter
{
    /// <summary>Messages that one ETRN starts; the others wait for their time, or for the next one.</summary>
    private const int MaxMessages = 1000;

    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<Domain, long> started = [];

    public async ValueTask<QueueStart> StartAsync(SessionState session, QueueName queue, CancellationToken ct)
    {
        if (queue.Scope == QueueScope.Queue)
            return new QueueStart.NotAllowed("there are no named queues");
        if (!domains.Contains(queue.Domain))
            return new QueueStart.NotAllowed("not served by ETRN");
        if (!IsTimeFor(queue.Domain))
            return new QueueStart.NotNow("started a moment ago");
        var count = await deliveries.RetryNowAsync(queue.Domain, andBelow: queue.Scope == QueueScope.DomainAndBelow, MaxMessages, ct);
        return count == 0 ? new QueueStart.Nothing() : new QueueStart.Pending(count);
    }

    private bool IsTimeFor(Domain domain)
    {
        lock (gate)
        {
            if (started.TryGetValue(domain, out var last) && clock.GetElapsedTime(last) < Pause)
                return false;
            started[domain] = clock.GetTimestamp();
            return true;
        }
    }
}
