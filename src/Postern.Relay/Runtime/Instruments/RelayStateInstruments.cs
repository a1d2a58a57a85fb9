using System.Diagnostics.Metrics;
using System.Reflection;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>The relay as a whole: whether it is ready, what it shows, what it is.</summary>
internal static class RelayStateInstruments
{
    public static void Create(Meter meter, RelayService relay)
    {
        meter.CreateObservableGauge(
            "postern.ready", () => relay.Health.IsReady ? 1 : 0, unit: null, "1 while mail is taken, as /readyz says.");
        meter.CreateObservableGauge(
            "postern.tls.certificate.not_after",
            () => relay.Snapshot.Options.Tls is { Certificate: var shown } && relay.Snapshot.Options.Hostname is { } hostname
                ? [new Measurement<double>(EndOf(shown.NotAfter), Tag("name", hostname))]
                : Array.Empty<Measurement<double>>(),
            "s",
            "When the certificate ends that is shown to clients which ask for no name, in seconds since 1970.");
        var version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0";
        meter.CreateObservableGauge(
            "postern.build.info", () => new Measurement<int>(1, Tag("version", version)), unit: null, "1; the label is the version.");
    }

    private static double EndOf(DateTime notAfter) => new DateTimeOffset(notAfter.ToUniversalTime()).ToUnixTimeSeconds();
}
