using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery.Dns;

/// <summary>
/// The resolvers to ask, in order: those that the operator named, else those of this host, whose file is read again while it is needed. A
/// file that cannot be read now leaves those of before. May be called from any thread.
/// </summary>
/// <param name="named">Empty: those of this host.</param>
/// <param name="isValidating">Those named validate DNSSEC, over a way that nobody stands in.</param>
internal sealed class ResolverList(ImmutableArray<IPEndPoint> named, bool isValidating, string path, TimeProvider clock)
{
    private static readonly TimeSpan ReadAgain = TimeSpan.FromSeconds(5);

    private volatile Known? known;

    /// <summary>Without any, why.</summary>
    public (ImmutableArray<IPEndPoint> Servers, string? Problem) Now()
    {
        if (!named.IsDefaultOrEmpty)
            return (named, null);
        var kept = known;
        if (kept is not null && clock.GetElapsedTime(kept.ReadAt) < ReadAgain)
            return (kept.Servers, kept.Problem);
        var (servers, problem) = ResolvConf.Read(path);
        if (servers.IsEmpty && kept is { Servers.IsEmpty: false })
            servers = kept.Servers;
        known = new Known(servers, problem, clock.GetTimestamp());
        return (servers, problem);
    }

    /// <summary>
    /// Whether this resolver's word that an answer is authentic counts (RFC 4035 §4.9.3): it is on this machine, or named as one that
    /// validates.
    /// </summary>
    public bool Believes(IPEndPoint resolver) => isValidating || IPAddress.IsLoopback(resolver.Address);

    private sealed record Known(ImmutableArray<IPEndPoint> Servers, string? Problem, long ReadAt);
}
