using System.Diagnostics.Metrics;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>
/// The meters of one relay, by name. Whoever listens knows them by their <see cref="Meter.Scope"/>, which is this: several relays in a
/// process do not mix.
/// </summary>
public sealed class RelayMeters : IMeterFactory
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Meter> meters = new(StringComparer.Ordinal);

    /// <summary>The meter of this name. It lasts as long as the relay.</summary>
    public Meter Create(MeterOptions options)
    {
        lock (gate)
        {
            if (!meters.TryGetValue(options.Name, out var meter))
                meters[options.Name] = meter = new Meter(new MeterOptions(options.Name) { Version = options.Version, Scope = this });
            return meter;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var meter in meters.Values)
                meter.Dispose();
        }
    }
}
