using System.Diagnostics.Metrics;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>The event log.</summary>
internal static class EventInstruments
{
    public static void Create(Meter meter, JsonLinesAuditLog audit)
    {
        meter.CreateObservableCounter(
            "postern.events.written",
            () => AuditKinds.Each.Select(kind => new Measurement<long>(audit.Written(kind), Tag("kind", kind.ToWord()))),
            "{event}",
            "Events that are in the files of the log.");
        meter.CreateObservableCounter(
            "postern.events.dropped", () => audit.Dropped, "{event}", "Events that the log could not take.");
    }
}
