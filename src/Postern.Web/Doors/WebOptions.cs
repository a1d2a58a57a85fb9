using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Transport;

namespace Postern.Web.Doors;

/// <summary>Where the console and the API are, and by which names.</summary>
/// <param name="Listen">Empty for nowhere.</param>
internal sealed record WebOptions(ImmutableArray<IPEndPoint> Listen)
{
    /// <summary>What is shown in handshakes, followed when it is replaced; null for none.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Nothing that is open would be another.</summary>
    public bool IsLike(WebOptions other) =>
        Listen.SequenceEqual(other.Listen)
        && ReferenceEquals(Tls, other.Tls)
        && Hosts.SequenceEqual(other.Hosts, StringComparer.OrdinalIgnoreCase)
        && Proxies.SequenceEqual(other.Proxies);

    /// <summary>Names that browsers may use, beside <c>localhost</c> and the addresses of this machine's loopback.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>Whose word counts about who the client is.</summary>
    public ImmutableArray<IPNetwork> Proxies { get; init; } = [];
}
