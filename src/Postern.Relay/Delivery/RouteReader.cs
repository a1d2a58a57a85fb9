using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Delivery.Via;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>Reads one route: its recipients, its conditions and its next hop.</summary>
internal static class RouteReader
{
    /// <summary>What is wrong with the route; null when it was read.</summary>
    /// <param name="index">Of the route, for the answer.</param>
    public static RouteParse.Wrong? Read(Route route, int index, out Entry read)
    {
        read = new Entry(
            route.Name,
            Pattern: string.Empty,
            new RouteMatch([], route.Logins, route.Listeners, route.Tenants),
            Host: null,
            route.Bind,
            Hello: null);
        if (PatternOf(route.To) is not { } pattern)
            return new RouteParse.Wrong(index, "to", $"'{route.To}' is not *, a domain, or .domain");
        var senders = ImmutableArray.CreateBuilder<RouteMatch.Sender>(route.From.Length);
        for (var i = 0; i < route.From.Length; i++)
        {
            if (!RouteMatch.Sender.TryParse(route.From[i], out var sender))
                return new RouteParse.Wrong(index, "from", $"'{route.From[i]}' is not an address, @domain, @.domain or <>")
                {
                    Item = route.From.Length > 1 ? i : null,
                };
            senders.Add(sender);
        }

        Domain? hello = null;
        if (route.Hello is not null && !Domain.TryParse(route.Hello, out hello))
            return new RouteParse.Wrong(index, "hello", $"'{route.Hello}' is not a domain or an address literal");
        if (WhyNotVia(route, index, out var servers, out var place) is { } wrong)
            return wrong;
        if (route.Pool is not null && (route.Bind is not null || route.Hello is not null))
            return new RouteParse.Wrong(index, "pool", "a pool brings its own addresses and names: without bind and hello");
        var isNamed = !servers.IsEmpty;
        if (WhyNotFallback(route, index, hello, isExchangers: !isNamed && place is null, out var fallback) is { } unable)
            return unable;
        if (place is not null)
        {
            var match = read.Match with { From = senders.DrainToImmutable() };
            read = read with { Pattern = pattern, Match = match, Host = new NextHop.Elsewhere(place) };
            return null;
        }

        if (!isNamed && route.Login is not null)
            return new RouteParse.Wrong(index, "login", "mail exchangers are strangers: a login needs a via that names its server");
        if (route.Trusted is not null && !servers.Any(static s => s.Tls != ClientTls.None))
            return new RouteParse.Wrong(index, "ca", "no certificate is verified on this route: it needs a via with TLS");
        if (!isNamed && route.MayHaveOurName)
            return new RouteParse.Wrong(
                index, "same_name", "a mail exchanger with this server's name is this server; a via that names the other one is needed");
        if (!isNamed && route.InFlight is not null)
            return new RouteParse.Wrong(
                index,
                "in_flight",
                "mail exchangers are strangers, and get one message after another: it needs a via that names its server");
        if (WhyNotForward(route, index, isNamed) is { } untold)
            return untold;
        if (isNamed && route.InFlight > 1 && servers.All(static s => s.IsLmtp))
            return new RouteParse.Wrong(index, "in_flight", "LMTP takes one message after another");
        var host = isNamed
            ? new NextHop.SmartHost(servers)
            {
                Login = route.Login,
                Grant = route.Grant,
                Pool = route.Pool,
                Certificate = route.Certificate,
                Trusted = route.Trusted,
                Bind = route.Bind,
                Hello = hello,
                MayHaveOurName = route.MayHaveOurName,
                Forward = route.Forward,
                InFlight = route.InFlight ?? NextHop.SmartHost.DefaultInFlight,
            }
            : null;
        read = read with
        {
            Pattern = pattern,
            Match = read.Match with { From = senders.DrainToImmutable() },
            Host = host,
            Hello = hello,
            Fallback = fallback,
            FallbackAfter = route.FallbackAfter,
            Pool = route.Pool,
        };
        return null;
    }

    /// <summary>What an operator should know of a route that is no mistake; null for nothing.</summary>
    public static string? DoubtOf(Route route)
    {
        if (WhyNotVia(route, index: 0, out var servers, out var place) is not null)
            return null;
        if (place is not null)
            return place.Doubt;
        foreach (var server in servers)
        {
            if (DoubtOf(route, server) is { } doubt)
                return doubt;
        }

        return null;
    }

    /// <summary>The servers that a route names; empty where it names none, or is wrong.</summary>
    public static ImmutableArray<NextHop.Server> ServersOf(Route route) =>
        WhyNotVia(route, index: 0, out var servers, out _) is null ? servers : [];

    private static string? DoubtOf(Route route, NextHop.Server server) => server.Tls switch
    {
        _ when server.IsLmtp && server.Port == 25 =>
            $"port 25 is where SMTP is spoken, which knows no LHLO: lmtp://{server.Host} is meant, or smtp://{server.Host}",
        not ClientTls.Implicit when server.Port == 465 =>
            $"port 465 is where TLS comes first: smtp:// waits there for a greeting that never comes; smtps://{server.Host} is meant",
        ClientTls.Implicit when server.Port is 25 or 587 =>
            $"port {server.Port} greets in clear: smtps:// finds no TLS there; smtp://{server.Name}?tls=required is meant",
        _ when route.Login is null => null,
        ClientTls.None =>
            $"the login to {server.Host} goes in clear: who listens can guess its password, and reads the mail; "
                + $"?tls=required, or smtps://, keeps both",
        ClientTls.Opportunistic =>
            $"the login to {server.Host} is made over TLS with any certificate: who stands in between can guess its password, "
                + $"and reads the mail; ?tls=required, or smtps://, keeps both",
        _ => null,
    };

    private static string? PatternOf(string to) => to == "*" ? to
        : !Domain.TryParse(to.StartsWith('.') ? to[1..] : to, out var domain) ? null
        : to.StartsWith('.') ? "." + domain.Text
        : domain.Text;

    /// <summary>
    /// Reads the servers, or the place; none of both for <c>mx</c>. Answers what is wrong with them, or null.
    /// </summary>
    private static RouteParse.Wrong? WhyNotVia(Route route, int index, out ImmutableArray<NextHop.Server> servers, out IHopPlace? place)
    {
        (servers, place) = ([], null);
        if (route.Via.IsEmpty)
            return new RouteParse.Wrong(index, "via", $"no server is named; expected {ViaSchemes.Expected}");
        if (route.Via.FirstOrDefault(static via => via.Any(char.IsControl)) is { } spoilt)
            return new RouteParse.Wrong(index, "via", "a control character stands in it")
            {
                Item = route.Via.Length > 1 ? route.Via.IndexOf(spoilt) : null,
            };
        if (route.Via is [var only])
        {
            if (IsMx(only))
                return null;
            if (ViaSchemes.Of(only) is ViaScheme.OfPlace scheme)
                return scheme.Read(only[(only.IndexOf(':', StringComparison.Ordinal) + 1)..], out place) is { } wrong
                    ? new RouteParse.Wrong(index, "via", wrong)
                    : WhyNotPlace(route, index, place!);
        }

        return WhyNotServers("via", route.Via, route.Login is not null, index, out servers);
    }

    private static RouteParse.Wrong? WhyNotServers(
        string key, ImmutableArray<string> texts, bool logsIn, int index, out ImmutableArray<NextHop.Server> servers)
    {
        servers = [];
        var found = ImmutableArray.CreateBuilder<NextHop.Server>(texts.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            if (WhyNotServer(texts[i], logsIn, out var server) is { } problem)
                return new RouteParse.Wrong(index, key, problem) { Item = texts.Length > 1 ? i : null };
            if (found.Contains(server!))
                return new RouteParse.Wrong(index, key, $"'{texts[i]}' stands here twice") { Item = i };
            found.Add(server!);
        }

        if (found.Any(static s => s.Weight > 0) && found.FirstOrDefault(static s => s.Weight == 0) is { } weightless)
            return new RouteParse.Wrong(index, key, $"{weightless.Name} has no ?weight= and others do: all of them, or none");
        servers = found.MoveToImmutable();
        return null;
    }

    private static RouteParse.Wrong? WhyNotFallback(
        Route route, int index, Domain? hello, bool isExchangers, out NextHop.SmartHost? fallback)
    {
        fallback = null;
        if (route.Fallback.IsEmpty)
            return null;
        if (!isExchangers)
            return new RouteParse.Wrong(
                index, "fallback", "only mail exchangers have one: name several servers in via, which are tried in order");
        if (WhyNotServers("fallback", route.Fallback, logsIn: false, index, out var servers) is { } wrong)
            return wrong;
        fallback = new NextHop.SmartHost(servers) { Bind = route.Bind, Hello = hello };
        return null;
    }

    private static RouteParse.Wrong? WhyNotForward(Route route, int index, bool isNamed) =>
        route.Forward == ClientForward.None ? null
        : !isNamed ? new(
            index, "forward_client", "mail exchangers are strangers, and are not told of clients: it needs a via that names its server")
        : route is { Forward: ClientForward.XClient, Login: not null } ? new(
            index, "forward_client", "XCLIENT puts the client's login in the place of this one: the server trusts this one's address alone")
        : route.InFlight > 1 ? new(index, "in_flight", "each message is sent with its client: one after another")
        : null;

    /// <summary>What else the route says needs a server.</summary>
    private static RouteParse.Wrong? WhyNotPlace(Route route, int index, IHopPlace place) =>
        route.Login is not null ? new(index, "login", $"nobody is there to log in to: the route leads to {place.Name}")
        : route.Hello is not null ? new(index, "hello", $"nobody is greeted on this route: it leads to {place.Name}")
        : route.Bind is not null ? new(index, "bind", $"no connection is made on this route: it leads to {place.Name}")
        : route.Pool is not null ? new(index, "pool", $"no connection is made on this route: it leads to {place.Name}")
        : route.InFlight is not null ? new(index, "in_flight", $"no connection is made on this route: it leads to {place.Name}")
        : route.Forward != ClientForward.None ? new(
            index, "forward_client", $"nobody is told of clients on this route: it leads to {place.Name}")
        : route.MayHaveOurName ? new(index, "same_name", $"no server is on this route: it leads to {place.Name}")
        : null;

    private static bool IsMx(string via) => string.Equals(via, "mx", StringComparison.OrdinalIgnoreCase);

    private static string? WhyNotServer(string via, bool logsIn, out NextHop.Server? server)
    {
        server = null;
        return IsMx(via) ? "mail exchangers stand alone: mx is not one of several servers"
            : ViaSchemes.Of(via) switch
            {
                ViaScheme.OfServer scheme => scheme.Read(via, logsIn, out server),
                ViaScheme.OfPlace { Word: var word } => $"{word}: stands alone: it is not one of several servers",
                _ => $"'{via}' is not {ViaSchemes.Expected}",
            };
    }

    /// <summary>A route that was read.</summary>
    /// <param name="Pattern"><c>*</c>, a domain or <c>.domain</c>, in A-labels.</param>
    /// <param name="Host">Null for the mail exchangers of the domain.</param>
    internal sealed record Entry(string Name, string Pattern, RouteMatch Match, NextHop? Host, IPAddress? Bind, Domain? Hello)
    {
        public NextHop.SmartHost? Fallback { get; init; }

        public TimeSpan FallbackAfter { get; init; }

        public string? Pool { get; init; }

        public NextHop HopFor(Domain domain) => Host ?? new NextHop.MailExchanger(domain)
        {
            Bind = Bind,
            Hello = Hello,
            Pool = Pool,
            Fallback = Fallback,
            FallbackAfter = Fallback is null ? TimeSpan.Zero : FallbackAfter,
        };
    }
}

/// <summary>What reading routes came to.</summary>
public abstract record RouteParse
{
    private RouteParse()
    {
    }

    public sealed record Ok(RouteTable Table) : RouteParse;

    /// <param name="Index">The route that is wrong.</param>
    /// <param name="Key">The word of the configuration: <c>to</c>, <c>via</c>, <c>login</c>, <c>in_flight</c> and so on.</param>
    /// <param name="Message">What was expected.</param>
    public sealed record Wrong(int Index, string Key, string Message) : RouteParse
    {
        /// <summary>Which of several values of the key it is; null where there is one.</summary>
        public int? Item { get; init; }
    }
}
