using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery;
using Postern.Smtp.Client;

namespace Postern.Configuration;

/// <summary>One entry of <c>delivery.routes</c>, in the words that <see cref="RouteTable.Parse"/> reads.</summary>
internal sealed record RouteOptions(string To, string Via)
{
    private const string MailExchangers = "mx";

    /// <summary>Null where the route does not log in.</summary>
    public ClientLogin? Login { get; private init; }

    public X509Certificate2Collection? Trusted { get; private init; }

    /// <summary>Null for the system's choice.</summary>
    public IPAddress? Bind { get; private init; }

    public bool SameName { get; private init; }

    public static RouteOptions Read(Section section)
    {
        var route = new RouteOptions(
            section.Required("to", Kinds.Text, "The recipient domain this route is for; `.example.org` for every domain below it, `\"*\"` for all others."),
            section.Value("via", Kinds.Text, MailExchangers, "`mx`", "The server to hand messages to: `smtp://host:port`, with `?tls=none`, `?tls=opportunistic` (the default without a login) or `?tls=required` (the default with one); `smtps://host:port` for implicit TLS; `mx` for the mail exchangers of the recipient's domain."))
        {
            Trusted = ReadTrusted(section),
            Bind = section.Value("bind", Kinds.IpAddress, null!, "the system's choice", "The address of this machine that connections of this route come from. Hosts are then reached by addresses of its family only."),
            SameName = section.Value("same_name", Kinds.Word(("true", true), ("false", false)), fallback: false, "false", "`true`: the server of `via` may call itself by `server.hostname` and is another, such as a filter on this machine. Otherwise mail to a server of our own name is returned at once (5.4.6), as it would come back."),
            Login = section.OptionalChild("login", LoginOptions.Read, "How the route logs in to its server, before any mail. A login that fails defers its messages, also when the server says 535: what is wrong is the account or this file, and no message bounces for it.")?.ToLogin(),
        };
        if (route.To is not null && RouteTable.Parse([route.ToRoute()]) is RouteParse.Wrong(_, var key, var message))
            section.Report(key, message);
        return route;
    }

    public Route ToRoute() => new(To, Via) { Login = Login, Trusted = Trusted, Bind = Bind, MayHaveOurName = SameName };

    private static X509Certificate2Collection? ReadTrusted(Section section)
    {
        if (section.FilePath("ca", fallback: null, "the system's trusted roots", "A PEM file of certificates: the server's must verify against one of them, or be one of them. Read at start.") is not { } file)
            return null;
        if (TrustedFile.Read(file, out var certificates) is not { } problem)
            return certificates;
        section.Report("ca", problem);
        return null;
    }
}
