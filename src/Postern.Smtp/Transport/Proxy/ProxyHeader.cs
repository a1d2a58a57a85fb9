using System.Net;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport.Proxy;

/// <summary>What a PROXY protocol header says.</summary>
/// <param name="Source">The real client; null where the connection speaks for itself (a health check, a client without an address).</param>
/// <param name="Destination">Where that client connected to; null with <paramref name="Source"/>.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination)
{
    public static ProxyHeader Itself { get; } = new(Source: null, Destination: null);

    /// <summary>Both addresses are made of one family, as a header needs them: IPv6 where they differ.</summary>
    public static ProxyHeader Of(IPEndPoint source, IPEndPoint destination)
    {
        var (from, to) = (Plain(source.Address), Plain(destination.Address));
        return from.AddressFamily == to.AddressFamily
            ? new ProxyHeader(new IPEndPoint(from, source.Port), new IPEndPoint(to, destination.Port))
            : new ProxyHeader(new IPEndPoint(from.MapToIPv6(), source.Port), new IPEndPoint(to.MapToIPv6(), destination.Port));
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new(address.GetAddressBytes());

    public ProxyClaims Claims { get; init; } = ProxyClaims.None;
}

/// <summary>How far the octets read so far carry: a problem, a whole header, or how many more octets belong to it for certain.</summary>
internal readonly record struct ProxyStep(ProxyHeader? Header, string? Problem, int Need)
{
    public static ProxyStep More(int octets) => new(Header: null, Problem: null, octets);

    public static ProxyStep Wrong(string problem) => new(Header: null, problem, Need: 0);

    public static ProxyStep Whole(ProxyHeader header) => new(header, Problem: null, Need: 0);
}
