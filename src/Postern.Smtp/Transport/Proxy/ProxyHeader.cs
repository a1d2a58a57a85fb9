using System.Net;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport.Proxy;

/// <summary>What a PROXY protocol header says.</summary>
/// <param name="Source">The real client; null where the connection speaks for itself (a health check, a client without an address).</param>
/// <param name="Destination">Where that client connected to; null with <paramref name="Source"/>.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination)
{
    public static ProxyHeader Itself { get; } = new(Source: null, Destination: null);

    public ProxyClaims Claims { get; init; } = ProxyClaims.None;
}

/// <summary>How far the octets read so far carry: a problem, a whole header, or how many more octets belong to it for certain.</summary>
internal readonly record struct ProxyStep(ProxyHeader? Header, string? Problem, int Need)
{
    public static ProxyStep More(int octets) => new(Header: null, Problem: null, octets);

    public static ProxyStep Wrong(string problem) => new(Header: null, problem, Need: 0);

    public static ProxyStep Whole(ProxyHeader header) => new(header, Problem: null, Need: 0);
}
