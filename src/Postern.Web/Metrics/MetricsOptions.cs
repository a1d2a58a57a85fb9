using System.Collections.Immutable;
using System.Net;

namespace Postern.Web.Metrics;

/// <summary>Who is told what a server measures.</summary>
/// <param name="Listen">Where <c>/metrics</c> and the health pages are; null for nowhere.</param>
/// <param name="Otlp">A collector that is sent the same by OTLP over HTTP; null for none.</param>
/// <param name="Hosts">Names by which the listener may be asked, beside <c>localhost</c> and any address.</param>
internal sealed record MetricsOptions(IPEndPoint? Listen, Uri? Otlp, ImmutableArray<string> Hosts)
{
    /// <summary>Accepted messages are counted by tenant too.</summary>
    public bool Tenants { get; init; }

    /// <summary>They say the same.</summary>
    public bool IsLike(MetricsOptions? other) =>
        other is not null && this with { Hosts = other.Hosts } == other && Hosts.SequenceEqual(other.Hosts, StringComparer.Ordinal);

    /// <summary>Nobody is told anything.</summary>
    public bool IsOff => Listen is null && Otlp is null;
}
