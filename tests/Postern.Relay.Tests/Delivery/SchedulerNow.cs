using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests;

/// <summary>With a spool that answers at once the scheduler does so too.</summary>
internal static class SchedulerNow
{
    public static void Start(this DeliveryScheduler scheduler, DateTimeOffset? newest = null) => SpoolNow.Now(StartAsync(scheduler, newest));

    public static QueueCommandOutcome RetryNow(this DeliveryScheduler scheduler, QueueId id) => SpoolNow.Now(scheduler.RetryNowAsync(id, CancellationToken.None));

    public static int RetryNow(this DeliveryScheduler scheduler, Domain domain, bool andBelow, int most) =>
        SpoolNow.Now(scheduler.RetryNowAsync(domain, andBelow, most, CancellationToken.None));

    public static QueueCommandOutcome Remove(this DeliveryScheduler scheduler, QueueId id) => SpoolNow.Now(scheduler.RemoveAsync(id, CancellationToken.None));

    private static async ValueTask<bool> StartAsync(DeliveryScheduler scheduler, DateTimeOffset? newest)
    {
        await scheduler.StartAsync(newest, CancellationToken.None);
        return true;
    }
}
