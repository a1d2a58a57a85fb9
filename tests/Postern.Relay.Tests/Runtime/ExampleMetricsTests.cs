using System.Diagnostics.Metrics;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Tests.Audit;
using Postern.Smtp.Overload;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>Metrics are one sink and the gauges that are there: each event is counted once, with its outcome.</summary>
public sealed class ExampleMetricsTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);
    private readonly Dictionary<string, double> read = [];

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Events_are_counted_by_outcome_and_gauges_are_read_when_somebody_asks()
    {
        using var metrics = new ExampleMetrics(new HalfFull());
        using var reader = Reader();
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock, metrics))
        {
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "lisa"));
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "bart") with { Outcome = AuthOutcome.Failed });
            log.Append(AuditDirectory.Accepted(clock.GetUtcNow(), "Q1"));
            log.Append(AuditDirectory.Delivery(clock.GetUtcNow(), "Q1"));
            log.Append(AuditDirectory.Delivery(clock.GetUtcNow(), "Q1"));
        }

        reader.RecordObservableInstruments();

        Assert.Equal((1, 1, 1, 2), (read["login ok"], read["login failed"], read["accepted accepted"], read["delivery delivered"]));
        Assert.Equal(0.5, read["half"]);
    }

    private MeterListener Reader()
    {
        var reader = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "postern")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        reader.SetMeasurementEventCallback<long>((_, value, tags, _) => Note(value, tags));
        reader.SetMeasurementEventCallback<double>((_, value, tags, _) => Note(value, tags));
        reader.Start();
        return reader;
    }

    private void Note(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = string.Join(' ', tags.ToArray().Select(static tag => tag.Value));
        lock (read)
            read[key] = read.GetValueOrDefault(key) + value;
    }

    private sealed class HalfFull : IPressureGauge
    {
        public string Name => "half";

        public double Read() => 0.5;
    }
}
