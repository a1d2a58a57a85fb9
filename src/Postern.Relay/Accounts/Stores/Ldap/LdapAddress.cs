using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// Where an LDAP server is, and where in it users are (RFC 4516): <c>ldap://host:port/base</c>, or a socket of this machine.
/// </summary>
/// <param name="Scheme">In lower case.</param>
/// <param name="Host">The path of a socket where the scheme is <c>ldapi</c>.</param>
/// <param name="Base">The DN below which is searched; empty for all that there is.</param>
internal sealed record LdapAddress(string Scheme, string Host, int Port, string Base)
{
    public const string Plain = "ldap";
    public const string Secure = "ldaps";
    public const string Local = "ldapi";

    /// <summary>Nothing on the way to it but this machine.</summary>
    public bool IsThisMachine =>
        Scheme == Local
        || string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(Host, out var ip) && IPAddress.IsLoopback(ip));

    public EndPoint EndPoint => Scheme == Local ? new UnixDomainSocketEndPoint(Host)
        : IPAddress.TryParse(Host, out var ip) ? new IPEndPoint(ip, Port)
        : new DnsEndPoint(Host, Port);

    /// <param name="problem">What is wrong with it. It quotes nothing of the text: a password may stand there.</param>
    public static LdapAddress? Parse(string uri, out string? problem)
    {
        var start = uri.IndexOf("://", StringComparison.Ordinal);
        var scheme = start < 0 ? string.Empty : uri[..start].ToLowerInvariant();
        var rest = start < 0 ? string.Empty : uri[(start + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (place, name) = slash < 0 ? (rest, string.Empty) : (rest[..slash], rest[(slash + 1)..]);
        problem = place.Contains('@', StringComparison.Ordinal)
                ? "a name and a password have no place in the URI, which is shown and logged: they are the keys 'bind' and 'password'"
            : rest.Any(char.IsControl) || scheme is not (Plain or Secure or Local) ? "it does not read ldap://host/base"
            : name.Contains('?', StringComparison.Ordinal) ? "what stands behind '?' are keys here: 'filter', 'scope', 'attributes'"
            : null;
        if (problem is not null)
            return null;
        var below = Uri.UnescapeDataString(name);
        if (scheme == Local && Uri.UnescapeDataString(place) is not ['/', ..])
            problem = "the socket's path stands in place of a host, with %2F for each '/': ldapi://%2Frun%2Fslapd%2Fldapi/dc=example";
        else if (below.Length > 0 && LdapDn.Normalize(below) is null)
            problem = "what stands behind the host is no DN, such as ou=people,dc=example,dc=org";
        else if (scheme == Local)
            return new LdapAddress(scheme, Uri.UnescapeDataString(place), 0, below);
        else if (WithServer(new LdapAddress(scheme, string.Empty, 0, below), place) is { } address)
            return address;
        else
            problem = "it names no host, or no host and port";
        return null;
    }

    /// <summary>The same on another server, <c>host</c> or <c>host:port</c>; null for what is neither.</summary>
    public static LdapAddress? WithServer(LdapAddress like, string server)
    {
        var (host, port) = (server, like.Scheme == Secure ? 636 : 389);
        if (server.LastIndexOf(':') is >= 0 and var colon && !server.EndsWith(']'))
        {
            if (!ushort.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
                return null;
            (host, port) = (server[..colon], number);
        }

        var isV6 = host.StartsWith('[');
        host = isV6 ? host.Trim('[', ']') : host;
        var kind = Uri.CheckHostName(host);
        return kind != UriHostNameType.Unknown && kind == UriHostNameType.IPv6 == isV6
            ? like with { Host = host, Port = port }
            : null;
    }

    /// <summary>The server alone.</summary>
    public override string ToString() => Scheme == Local ? Host : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
