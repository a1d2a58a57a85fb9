using System.Net;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Via;

/// <summary>Reads servers that are named by host and port.</summary>
internal static class ServerVia
{
    public const string SmtpForm = "smtp://host[:port][?tls=none|opportunistic|required]";
    public const string SmtpsForm = "smtps://host[:port]";

    private const int SmtpPort = 25;
    private const int SmtpsPort = 465;

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
        ClientTls? tls = uri.Query switch
        {
            "" when logsIn => ClientTls.Required,
            "" => ClientTls.Opportunistic,
            _ when !takesTls => null,
            "?tls=opportunistic" => ClientTls.Opportunistic,
            "?tls=required" => ClientTls.Required,
            "?tls=none" => ClientTls.None,
            _ => null,
        };
        if (tls is null)
            return $"'{uri.Query}' is not known here; expected {form}";
        server = new NextHop.Server(host, uri.IsDefaultPort || uri.Port < 0 ? port : uri.Port, tls.Value);
        return null;
    }
}
