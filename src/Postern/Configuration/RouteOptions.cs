using Postern.Configuration.Reading;
using Postern.Relay.Delivery;

namespace Postern.Configuration;

/// <summary>One entry of <c>delivery.routes</c>, in the words that <see cref="RouteTable.Parse"/> reads.</summary>
internal sealed record RouteOptions(string To, string Via)
{
    private const string MailExchangers = "mx";

    public static RouteOptions Read(Section section)
    {
        var route = new RouteOptions(
            section.Required("to", Kinds.Text, "The recipient domain this route is for; `.example.org` for every domain below it, `\"*\"` for all others."),
            section.Value("via", Kinds.Text, MailExchangers, "`mx`", "The server to hand messages to: `smtp://host:port`, with `?tls=none`, `?tls=opportunistic` (the default) or `?tls=required`; `smtps://host:port` for implicit TLS; `mx` for the mail exchangers of the recipient's domain."));
        if (route.To is not null && RouteTable.Parse([route.ToRoute()]) is RouteParse.Wrong(_, var key, var message))
            section.Report(key, message);
        return route;
    }

    public Route ToRoute() => new(To, Via);
}
