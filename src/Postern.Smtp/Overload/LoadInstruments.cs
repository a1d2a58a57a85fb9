using System.Diagnostics.Metrics;

namespace Postern.Smtp.Overload;

/// <summary>What a server measures of its load, read off its last look at the gauges.</summary>
internal static class LoadInstruments
{
    private static readonly (LoadState State, string Word)[] States =
    [
        (LoadState.Normal, "normal"), (LoadState.Stressed, "stressed"), (LoadState.Full, "full"),
    ];

    public static void Create(Meter meter, LoadMonitor load)
    {
        meter.CreateObservableGauge(
            "postern.load.state",
            () => States.Select(one => new Measurement<int>(load.State == one.State ? 1 : 0, Tag("state", one.Word))),
            unit: null,
            "1 at the state that the server is in.");
        meter.CreateObservableGauge(
            "postern.load.pressure",
            () => load.Readings.Select(static one => new Measurement<double>(one.Value, Tag("gauge", one.Gauge))),
            "1",
            "The reading of each gauge, 0 to 1.");
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
