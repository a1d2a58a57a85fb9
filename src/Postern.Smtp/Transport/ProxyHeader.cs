using System.Net;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport;

/// <summary>What a PROXY protocol header says.</summary>
/// <param name="Source">The real client; null where the connection speaks for itself (a health check, a client without an address).</param>
/// <param name="Destination">Where that client connected to; null with <paramref name="Source"/>.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination)
{
    public static ProxyHeader Itself { get; } = new(Source: null, Destination: null);

    public ProxyClaims Claims { get; init; } = ProxyClaims.None;
}
