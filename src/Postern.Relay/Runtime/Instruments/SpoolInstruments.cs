using System.Diagnostics.Metrics;
using Postern.Relay.Spool;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>The spool and its disk, as the spool knows them by itself.</summary>
internal static class SpoolInstruments
{
    private static readonly (SpoolCondition Condition, string Word)[] Conditions =
    [
        (SpoolCondition.Writable, "writable"), (SpoolCondition.Full, "full"), (SpoolCondition.Failed, "failed"),
    ];

    public static void Create(Meter meter, ISpool spool)
    {
        meter.CreateObservableGauge("postern.spool.size", () => Of(spool.Space?.Octets), "By", "What the files of the spool take.");
        meter.CreateObservableGauge(
            "postern.spool.disk.free",
            () => Of(spool.Space?.Free),
            "By",
            "What this process may still take of the disk of the spool, as of the spool's last look.");
        meter.CreateObservableGauge(
            "postern.spool.condition",
            () => Conditions.Select(one => new Measurement<int>(
                spool.Status.Condition == one.Condition ? 1 : 0, Tag("condition", one.Word))),
            unit: null,
            "1 at the condition that the spool is in.");
        meter.CreateObservableGauge(
            "postern.spool.quarantined",
            () => spool.Recovery.Quarantined.DistinctBy(static damage => damage.Segment).Count(),
            "{segment}",
            "Segments in which the last start found damage.");
    }

    private static IEnumerable<Measurement<long>> Of(long? octets) => octets is { } known ? [new Measurement<long>(known)] : [];
}
