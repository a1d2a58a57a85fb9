using System.Diagnostics.Metrics;
using Postern.Relay.Delivery;
using Postern.Relay.Spool;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>What waits, for how long, and for whom.</summary>
internal static class QueueInstruments
{
    private const string NoRoute = "no_route";

    public static void Create(Meter meter, ISpool spool, DeliveryScheduler deliveries)
    {
        meter.CreateObservableGauge(
            "postern.queue.messages", () => Messages(spool, deliveries), "{message}", "Messages in the queue, by where they stand.");
        meter.CreateObservableGauge(
            "postern.queue.oldest_age",
            () => Ages(spool.Ages(), deliveries),
            "s",
            "How long the oldest message of each state has been here; of one that was never tried, since it could be.");
        meter.CreateObservableGauge(
            "postern.queue.destinations",
            () => deliveries.Load().Count,
            "{destination}",
            "Next hops that have mail at work or connections.");
        meter.CreateObservableUpDownCounter(
            "postern.delivery.connections",
            () => deliveries.Load().GroupBy(static one => one.Route, StringComparer.Ordinal)
                .Select(static route => new Measurement<int>(route.Sum(static one => one.Connections), Tag("route", route.Key))),
            "{connection}",
            "Connections to next hops.");
    }

    private static IEnumerable<Measurement<int>> Messages(ISpool spool, DeliveryScheduler deliveries)
    {
        var tally = spool.Tally;
        var waiting = Math.Max(0, spool.Count - tally.Held - tally.Claimed - tally.Tried);
        var isParked = deliveries.Routes.Holds;
        return
        [
            Of(isParked ? 0 : waiting, "waiting"),
            Of(isParked ? 0 : tally.Tried, "deferred"),
            Of(tally.Held, "held"),
            Of(isParked ? waiting + tally.Tried : 0, NoRoute),
            Of(tally.Claimed, "active"),
        ];
    }

    private static IEnumerable<Measurement<double>> Ages(SpoolAges ages, DeliveryScheduler deliveries)
    {
        var isParked = deliveries.Routes.Holds;
        yield return Of(isParked ? null : ages.Waiting, "waiting");
        yield return Of(isParked ? null : ages.Deferred, "deferred");
        yield return Of(ages.Held, "held");
        yield return Of(isParked ? Longer(ages.Waiting, ages.Deferred) : null, NoRoute);
        yield return Of(ages.Active, "active");
    }

    private static TimeSpan? Longer(TimeSpan? one, TimeSpan? other) => one > other || other is null ? one : other;

    private static Measurement<int> Of(int count, string state) => new(count, Tag("state", state));

    private static Measurement<double> Of(TimeSpan? age, string state) => new(age?.TotalSeconds ?? 0, Tag("state", state));
}
