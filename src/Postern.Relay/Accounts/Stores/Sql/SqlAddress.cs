using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>Where a database server is: <c>scheme://user@host:port/database</c>.</summary>
/// <param name="Host">Empty where a socket of this machine takes its place; PostgreSQL names that by a port all the same.</param>
/// <param name="Port">Null for the usual one.</param>
internal sealed record SqlAddress(string User, string Host, int? Port, string Database)
{
    /// <summary>Nothing on the way to it but this machine.</summary>
    public bool IsThisMachine =>
        string.Equals(Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(Host, out var ip) && IPAddress.IsLoopback(ip));

    /// <param name="problem">What is wrong with it. It quotes nothing of the text: a password may stand there.</param>
    public static SqlAddress? Parse(string uri, out string? problem)
    {
        problem = null;
        var start = uri.IndexOf("://", StringComparison.Ordinal);
        var rest = start < 0 ? string.Empty : uri[(start + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var at = slash < 0 ? -1 : rest.LastIndexOf('@', slash);
        if (at > 0 && rest.AsSpan(0, at).Contains(':'))
            problem = "a password has no place in the URI, which is shown and logged: it is the key 'password'";
        else if (at < 1 || rest.Length == slash + 1 || rest.AsSpan(slash + 1).ContainsAny("/?#@") || rest.Any(char.IsControl))
            problem = "it does not read scheme://user@host/database";
        else if (TryHost(rest[(at + 1)..slash], out var host, out var port))
            return new SqlAddress(Uri.UnescapeDataString(rest[..at]), host, port, Uri.UnescapeDataString(rest[(slash + 1)..]));
        else
            problem = "what stands between '@' and '/' is no host, or no host and port";
        return null;
    }

    private static bool TryHost(string text, [NotNullWhen(true)] out string? host, out int? port)
    {
        (host, port) = (text, null);
        if (text.LastIndexOf(':') is >= 0 and var colon && !text.EndsWith(']'))
        {
            host = text[..colon];
            if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
                return false;
            port = number;
        }

        var isV6 = host.StartsWith('[');
        if (isV6)
            host = host.Trim('[', ']');
        return host.Length == 0
            || (Uri.CheckHostName(host) is not UriHostNameType.Unknown and var kind && kind == UriHostNameType.IPv6 == isV6);
    }
}
