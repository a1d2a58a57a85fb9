using System.Diagnostics.Metrics;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Overload;

namespace Postern.Relay.Tests.Runtime;

/// <summary>
/// Counts and gauges as an exporter reads them: a sink of events beside the files, and the pressures that the server measures of itself.
/// It is given to the log like any sink, and nothing waits for it.
/// </summary>
internal sealed class ExampleMetrics : IEventSink, IDisposable
{
    private readonly Meter meter = new("postern");
    private readonly Counter<long> events;

    public ExampleMetrics(params IPressureGauge[] gauges)
    {
        events = meter.CreateCounter<long>("postern.events");
        meter.CreateObservableGauge(
            "postern.pressure", () => gauges.Select(static gauge => new Measurement<double>(gauge.Read(), Named("gauge", gauge.Name))));
    }

    public string Name => "metrics";

    /// <summary>A count always has room.</summary>
    public long Lost => 0;

    public void Offer(AuditEvent audit) => events.Add(1, Named("event", audit.Name), Named("outcome", audit.Traits.Outcome));

    /// <summary>What is only counted in the log counts here too.</summary>
    public void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
        if (audit is not null)
            Offer(audit);
        else
            events.Add(1, Named("event", cause.Kind.ToWord()), Named("outcome", "repeat"));
    }

    public void Dispose() => meter.Dispose();

    private static KeyValuePair<string, object?> Named(string key, string? value) => new(key, value);
}
