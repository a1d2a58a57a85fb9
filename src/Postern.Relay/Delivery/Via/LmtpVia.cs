using System.Text;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Via;

/// <summary>
/// Reads servers that speak LMTP (RFC 2033): <c>lmtp://host[:port]</c>, or <c>lmtp:unix:/path</c> as Postfix writes it, or
/// <c>lmtp:///path</c>.
/// </summary>
internal static class LmtpVia
{
    public const string Form = "lmtp://host[:port][?tls=none|opportunistic|required] or lmtp:unix:/path";

    /// <summary>RFC 2033 forbids port 25; Postfix and Dovecot take this one (lmtp_tcp_port).</summary>
    private const int Port = 24;

    private const string Socket = "lmtp:unix:";
    private const string SocketUri = "lmtp://";

    /// <summary>What a socket's address has room for (unix(7)), with its NUL.</summary>
    private const int MostPathOctets = 107;

    public static string? Read(string via, bool logsIn, out NextHop.Server? server)
    {
        server = null;
        var path = via.StartsWith(Socket, StringComparison.OrdinalIgnoreCase) ? via[Socket.Length..]
            : via.StartsWith(SocketUri + '/', StringComparison.OrdinalIgnoreCase) ? via[SocketUri.Length..]
            : null;
        if (path is null)
        {
            if (ServerVia.Read(via, Form, logsIn, Port, out server) is { } wrong)
                return wrong;
            server = server! with { IsLmtp = true };
            return null;
        }

        if (!path.StartsWith('/') || path.Any(char.IsControl))
            return $"'{path}' is not an absolute path of a socket";
        if (Encoding.UTF8.GetByteCount(path) > MostPathOctets)
            return $"'{path}' is longer than the {MostPathOctets} octets that the path of a socket may have";
        if (logsIn)
            return "no login is made over a socket of this machine: who may open it is said by its owner and mode";
        server = new NextHop.Server(path, Port: 0, ClientTls.None) { IsLmtp = true, Socket = path };
        return null;
    }
}
