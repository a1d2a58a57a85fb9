using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;
using Postern.Smtp.Grammar;
using Postern.Web.Metrics;

namespace Postern.Configuration.Operating;

/// <summary><c>metrics</c>: who is told what the server measures, and how it is.</summary>
/// <param name="Listen">Null for nowhere.</param>
/// <param name="Otlp">Null for no collector.</param>
/// <param name="Tenants">Accepted messages are counted by tenant too.</param>
internal sealed record MetricsSection(IPEndPoint? Listen, Uri? Otlp, bool Tenants, ImmutableArray<Domain> Hosts)
{
    private static readonly Kind<Uri?> Collector = new(
        "address",
        "http://host:port or https://host:port",
        static (string text, out Uri? address) =>
            Uri.TryCreate(text, UriKind.Absolute, out address)
            && address is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" },
        []);

    public static MetricsSection Read(Section section) => new(
        section.Value(
            "listen",
            new Kind<IPEndPoint?>(Kinds.Endpoint.Name, Kinds.Endpoint.Expected, TryEndpoint, []),
            fallback: null,
            "nowhere",
            "`127.0.0.1:2589`: what the server measures is at `/metrics` there, for Prometheus, and how it is at `/livez`, `/readyz` and "
                + "`/startupz` (see metrics.md). Nobody has to log in: whoever reaches it may read it."),
        section.Value(
            "otlp",
            Collector,
            fallback: null,
            "none",
            "`http://127.0.0.1:4318`: a collector that is sent the same every minute, by OTLP over HTTP."),
        section.Value(
            "tenants",
            Kinds.Word(("true", true), ("false", false)),
            fallback: false,
            "false",
            "`true`: accepted messages and their recipients are counted by tenant too; the first 200 by name, the others together."),
        section.List(
            "hosts",
            Kinds.DomainName,
            [],
            "none",
            "Names by which `listen` may be asked, beside `localhost`, the server's `hostname` and any address. Others get 421."));

    public MetricsOptions ToOptions() => new(Listen, Otlp is null ? null : Signal(Otlp), [.. Hosts.Select(static host => host.Text)])
    {
        Tenants = Tenants,
    };

    /// <summary>Where metrics go at a collector, unless the address says where.</summary>
    private static Uri Signal(Uri collector) => collector.AbsolutePath == "/" ? new Uri(collector, "v1/metrics") : collector;

    private static bool TryEndpoint(string text, out IPEndPoint? endpoint)
    {
        var isRead = Kinds.Endpoint.Read(text, out var read);
        endpoint = read;
        return isRead;
    }
}
