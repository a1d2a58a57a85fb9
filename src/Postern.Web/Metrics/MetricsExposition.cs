using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Postern.Web.Metrics;

/// <summary>
/// Listens to the meters of one relay and of the runtime, and writes what they say as Prometheus reads it; a collector may be sent the
/// same. Each instrument has a bounded number of series: what comes beyond it is counted together, under <c>otel_metric_overflow</c>.
/// </summary>
internal sealed class MetricsExposition : IDisposable
{
    /// <summary>Series of one instrument; a histogram has as many of them for each bucket.</summary>
    public const int MostSeries = 500;

    /// <summary>Of the runtime, process-wide.</summary>
    private const string Runtime = "System.Runtime";

    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private readonly MeterProvider provider;

    /// <param name="scope">Of the meters that are listened to.</param>
    /// <param name="instance">What this server is called by whoever gathers from several.</param>
    public MetricsExposition(object scope, Uri? otlp, string instance, string version)
    {
        var builder = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.Clear().AddService(
                "postern", serviceVersion: version, autoGenerateServiceInstanceId: false, serviceInstanceId: instance))
            .AddMeter("Postern.*", Runtime)
            .AddView(instrument => ViewOf(instrument, scope))
            .AddPrometheusExporter(static options => options.ScopeInfoEnabled = false);
        if (otlp is not null)
            builder.AddOtlpExporter(options => (options.Endpoint, options.Protocol) = (otlp, OtlpExportProtocol.HttpProtobuf));
        provider = builder.Build();
        var app = new ApplicationBuilder(services);
        app.UseOpenTelemetryPrometheusScrapingEndpoint(
            provider, static _ => true, path: null, configureBranchedPipeline: null, optionsName: null);
        Answer = app.Build();
    }

    /// <summary>Answers any request with all that is measured.</summary>
    public RequestDelegate Answer { get; }

    public void Dispose()
    {
        provider.Dispose();
        services.Dispose();
    }

    /// <summary>Another server in this process has meters of the same names.</summary>
    private static MetricStreamConfiguration ViewOf(Instrument instrument, object scope) =>
        instrument.Meter.Scope == scope || instrument.Meter.Name == Runtime
            ? new MetricStreamConfiguration { CardinalityLimit = MostSeries }
            : MetricStreamConfiguration.Drop;
}
