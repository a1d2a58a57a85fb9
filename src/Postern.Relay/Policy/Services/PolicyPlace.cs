using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Policy.Services;

/// <summary>Where a policy service listens, as Postfix writes it: <c>inet:host:port</c> or <c>unix:/path</c>.</summary>
/// <param name="Text">As it is configured; it holds no secret.</param>
internal sealed record PolicyPlace(string Text, EndPoint EndPoint)
{
    private const string Inet = "inet:";
    private const string Unix = "unix:";

    /// <summary>sun_path of Linux has 108 octets, with the zero at its end.</summary>
    private const int MostOfPath = 107;

    public static ArgumentKind<PolicyPlace> Kind { get; } = new(
        "place", "inet:host:port (an IPv6 address in brackets) or unix:/path", TryParse);

    /// <summary>The file of a Unix socket; null for TCP.</summary>
    public string? Path => EndPoint is UnixDomainSocketEndPoint ? Text[Unix.Length..] : null;

    public Socket NewSocket() => EndPoint is UnixDomainSocketEndPoint
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private static bool TryParse(string text, out PolicyPlace value)
    {
        value = null!;
        var endPoint = text.StartsWith(Unix, StringComparison.Ordinal) ? UnixAt(text[Unix.Length..])
            : text.StartsWith(Inet, StringComparison.Ordinal) ? InetAt(text[Inet.Length..])
            : null;
        if (endPoint is not null)
            value = new PolicyPlace(text, endPoint);
        return endPoint is not null;
    }

    private static EndPoint? UnixAt(string path) =>
        path.StartsWith('/') && System.Text.Encoding.UTF8.GetByteCount(path) <= MostOfPath && !path.Contains('\0', StringComparison.Ordinal)
            ? new UnixDomainSocketEndPoint(path)
            : null;

    private static EndPoint? InetAt(string place)
    {
        var colon = place.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(place.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
            return null;
        var host = place[..colon];
        if (host is ['[', .., ']'] && IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var six))
            return new IPEndPoint(six, port);
        if (IPAddress.TryParse(host, out var four) && four.AddressFamily == AddressFamily.InterNetwork)
            return new IPEndPoint(four, port);
        return Uri.CheckHostName(host) == UriHostNameType.Dns ? new DnsEndPoint(host, port) : null;
    }
}
