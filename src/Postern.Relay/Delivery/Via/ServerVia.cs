using System.Globalization;
using System.Net;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Via;

/// <summary>Reads servers that are named by host and port.</summary>
internal static class ServerVia
{
    public const string SmtpForm = "smtp://host[:port][?tls=none|opportunistic|required]";
    public const string SmtpsForm = "smtps://host[:port]";
    public const string MxForm = "smtp+mx://domain[:port]";
    public const string SrvForm = "smtp+srv://domain";
    public const string SecureSrvForm = "smtps+srv://domain";

    private const int SmtpPort = 25;
    private const int SmtpsPort = 465;
    private const int SubmissionPort = 587;

    public static string? ReadSmtp(string via, bool logsIn, out NextHop.Server? server) =>
        Read(via, SmtpForm, logsIn, SmtpPort, out server);

    public static string? ReadSmtps(string via, bool logsIn, out NextHop.Server? server)
    {
        if (Read(via, SmtpsForm, logsIn, SmtpsPort, out server, takesTls: false) is { } wrong)
            return wrong;
        server = server! with { Tls = ClientTls.Implicit };
        return null;
    }

    /// <param name="form">How it is written, for who wrote something else.</param>
    /// <param name="port">Where none is written.</param>
    /// <param name="takesTls"><c>?tls=</c> may say which TLS.</param>
    public static string? Read(
        string via, string form, bool logsIn, int port, out NextHop.Server? server, bool takesTls = true)
    {
        server = null;
        if (!Uri.TryCreate(via, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            return $"'{via}' is not {form}";
        if (uri.UserInfo.Length > 0)
            return $"the route to {uri.Host} carries credentials: they belong into login";
        if (uri.AbsolutePath is not ("" or "/") || uri.Fragment.Length > 0 || uri.Port == 0)
            return $"'{via}' is not {form}";
        if (RouteTable.HostOf(uri) is not { } host || (!IPAddress.TryParse(host, out _) && !Domain.TryParse(host, out _)))
            return $"'{uri.Host}' is not a host name or an address";
        if (HostIn(via) is { } written && IsHalfAnAddress(written))
            return $"'{written}' is not a host name or an address, which has four numbers";
        if (!TryQuery(uri.Query, takesTls, out var tls, out var weight))
            return $"'{uri.Query}' is not known here; expected {form}";
        server = new NextHop.Server(
            host,
            uri.IsDefaultPort || uri.Port < 0 ? port : uri.Port,
            tls ?? (logsIn ? ClientTls.Required : ClientTls.Opportunistic)) { Weight = weight };
        return null;
    }

    /// <summary>The host as it was written: <see cref="Uri"/> makes four numbers of two.</summary>
    private static string? HostIn(string via)
    {
        var start = via.IndexOf("://", StringComparison.Ordinal);
        if (start < 0)
            return null;
        var host = via[(start + 3)..];
        return host.IndexOfAny([':', '/', '?', '#']) is >= 0 and var end ? host[..end] : host;
    }

    /// <summary>A name whose last part is a number is nobody's (RFC 3696 §2), and an address is written in full.</summary>
    private static bool IsHalfAnAddress(string written) =>
        !written.StartsWith('[')
        && (IPAddress.TryParse(written, out var address) ? written != address.ToString()
            : written.TrimEnd('.').Split('.')[^1] is { Length: > 0 } last && last.All(char.IsAsciiDigit));

    public static string? ReadMx(string via, bool logsIn, out NextHop.Server? server) =>
        Found(ServerLookup.Mx, Read(via, MxForm, logsIn, SmtpPort, out server), ref server);

    public static string? ReadSrv(string via, bool logsIn, out NextHop.Server? server) =>
        Found(ServerLookup.Srv, Read(via, SrvForm, logsIn, SubmissionPort, out server), ref server);

    public static string? ReadSecureSrv(string via, bool logsIn, out NextHop.Server? server)
    {
        var wrong = Found(ServerLookup.Srv, Read(via, SecureSrvForm, logsIn, SmtpsPort, out server, takesTls: false), ref server);
        server = server is null ? null : server with { Tls = ClientTls.Implicit };
        return wrong;
    }

    private static string? Found(ServerLookup lookup, string? wrong, ref NextHop.Server? server)
    {
        if (wrong is not null)
            return wrong;
        var host = server!.Host;
        server = IPAddress.TryParse(host, out _) ? null : server with { Lookup = lookup };
        return server is null ? $"'{host}' is an address: it needs a domain to be looked up, or smtp:// before it" : null;
    }

    private static bool TryQuery(string query, bool takesTls, out ClientTls? tls, out int weight)
    {
        (tls, weight) = (null, 0);
        foreach (var part in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var isKnown = part switch
            {
                "tls=opportunistic" when takesTls && tls is null => (tls = ClientTls.Opportunistic) is not null,
                "tls=required" when takesTls && tls is null => (tls = ClientTls.Required) is not null,
                "tls=none" when takesTls && tls is null => (tls = ClientTls.None) is not null,
                ['w', 'e', 'i', 'g', 'h', 't', '=', .. var number] when weight == 0 =>
                    int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out weight) && weight is > 0 and <= 1000,
                _ => false,
            };
            if (!isKnown)
                return false;
        }

        return true;
    }
}
