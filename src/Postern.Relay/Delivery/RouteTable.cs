using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Which next hop a recipient's domain has: the exact domain, else the longest <c>.suffix</c>, else <c>*</c>, else the domain's mail
/// exchangers. Immutable.
/// </summary>
public sealed class RouteTable
{
    private readonly FrozenDictionary<string, Target> routes;

    private RouteTable(FrozenDictionary<string, Target> routes, bool holds)
    {
        this.routes = routes;
        Holds = holds;
    }

    /// <summary>No delivery is configured: messages wait in the spool until one is.</summary>
    public static RouteTable Hold { get; } = new(FrozenDictionary<string, Target>.Empty, holds: true);

    /// <summary>Everything goes to the mail exchangers of its domain.</summary>
    public static RouteTable Mx { get; } = new(FrozenDictionary<string, Target>.Empty, holds: false);

    public bool Holds { get; }

    /// <summary>Some route can pass a message with REQUIRETLS on (RFC 8689): to a host that was named, over TLS. Mail exchangers cannot, their names come from DNS without proof.</summary>
    public bool CanRequireTls => routes.Values.Any(static target => target.Host is { Tls: not ClientTls.None });

    /// <summary>Reads routes; stops at the first that is wrong. An empty list means <see cref="Mx"/>.</summary>
    public static RouteParse Parse(IReadOnlyList<Route> routes)
    {
        var found = new Dictionary<string, Target>(StringComparer.Ordinal);
        for (var i = 0; i < routes.Count; i++)
        {
            if (!TryReadPattern(routes[i].To, out var pattern))
                return new RouteParse.Wrong(i, "to", $"'{routes[i].To}' is not *, a domain, or .domain");
            if (WhyNotVia(routes[i], out var hop) is { } wrong)
                return new RouteParse.Wrong(i, "via", wrong);
            if (hop is null && routes[i].Login is not null)
                return new RouteParse.Wrong(i, "login", "mail exchangers are strangers: a login needs a via that names its server");
            if (routes[i].Trusted is not null && hop is null or { Tls: ClientTls.None })
                return new RouteParse.Wrong(i, "ca", "no certificate is verified on this route: it needs a via with TLS");
            if (hop is null && routes[i].MayHaveOurName)
                return new RouteParse.Wrong(i, "same_name", "a mail exchanger with this server's name is this server; a via that names the other one is needed");
            if (!found.TryAdd(pattern, new Target(hop, routes[i].Bind)))
                return new RouteParse.Wrong(i, "to", $"'{routes[i].To}' has a route already");
        }

        return new RouteParse.Ok(new RouteTable(found.ToFrozenDictionary(StringComparer.Ordinal), holds: false));
    }

    public NextHop Find(Domain domain)
    {
        if (routes.Count > 0)
        {
            if (routes.TryGetValue(domain.Text, out var target) || TryFindSuffix(domain.Text, out target) || routes.TryGetValue("*", out target))
                return target.Host ?? (NextHop)new NextHop.MailExchanger(domain) { Bind = target.Bind };
        }

        return new NextHop.MailExchanger(domain);
    }

    private bool TryFindSuffix(string domain, out Target target)
    {
        for (var dot = domain.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = domain.IndexOf('.', dot + 1))
        {
            if (routes.TryGetValue(domain[dot..], out target))
                return true;
        }

        target = default;
        return false;
    }

    private static bool TryReadPattern(string to, [NotNullWhen(true)] out string? pattern)
    {
        pattern = to == "*" ? to : null;
        if (pattern is null && Domain.TryParse(to.StartsWith('.') ? to[1..] : to, out var domain))
            pattern = to.StartsWith('.') ? "." + domain.Text : domain.Text;
        return pattern is not null;
    }

    /// <summary>What an operator should know of a route that is no mistake; null for nothing.</summary>
    public static string? DoubtOf(Route route) => WhyNotVia(route, out var hop) is not null || hop is not { } host ? null : host.Tls switch
    {
        not ClientTls.Implicit when host.Port == 465 => $"port 465 is where TLS comes first: smtp:// waits there for a greeting that never comes; smtps://{host.Host} is meant",
        ClientTls.Implicit when host.Port is 25 or 587 => $"port {host.Port} greets in clear: smtps:// finds no TLS there; smtp://{host.Name}?tls=required is meant",
        _ when route.Login is null => null,
        ClientTls.None => $"the login to {host.Host} goes in clear: who listens can guess its password, and reads the mail; ?tls=required, or smtps://, keeps both",
        ClientTls.Opportunistic => $"the login to {host.Host} is made over TLS with any certificate: who stands in between can guess its password, and reads the mail; ?tls=required, or smtps://, keeps both",
        _ => null,
    };

    /// <summary>Reads the next hop, null for <c>mx</c>; answers what is wrong with the text, or null.</summary>
    private static string? WhyNotVia(Route route, out NextHop.SmartHost? hop)
    {
        const string Expected = "mx, smtp://host[:port][?tls=none|opportunistic|required] or smtps://host[:port]";
        hop = null;
        var via = route.Via;
        if (string.Equals(via, "mx", StringComparison.OrdinalIgnoreCase))
            return null;
        if (!Uri.TryCreate(via, UriKind.Absolute, out var uri) || uri.Scheme is not ("smtp" or "smtps") || uri.Host.Length == 0)
            return $"'{via}' is not {Expected}";
        if (uri.UserInfo.Length > 0)
            return $"the route to {uri.Host} carries credentials: they belong into login";
        if (uri.AbsolutePath is not ("" or "/") || uri.Fragment.Length > 0 || uri.Port == 0)
            return $"'{via}' is not {Expected}";
        if (HostOf(uri) is not { } host || (!IPAddress.TryParse(host, out _) && !Domain.TryParse(host, out _)))
            return $"'{uri.Host}' is not a host name or an address";
        ClientTls? tls = (uri.Scheme, uri.Query) switch
        {
            ("smtps", "") => ClientTls.Implicit,
            ("smtp", "") when route.Login is not null => ClientTls.Required,
            ("smtp", "" or "?tls=opportunistic") => ClientTls.Opportunistic,
            ("smtp", "?tls=required") => ClientTls.Required,
            ("smtp", "?tls=none") => ClientTls.None,
            _ => null,
        };
        if (tls is null)
            return $"'{uri.Query}' is not known here; expected {Expected}";
        hop = new NextHop.SmartHost(host, PortOf(uri), tls.Value) { Login = route.Login, Trusted = route.Trusted, Bind = route.Bind, MayHaveOurName = route.MayHaveOurName };
        return null;
    }

    /// <summary>The host in A-labels; null where the runtime took the name for one, and finds out when it is to be written so that it is none.</summary>
    public static string? HostOf(Uri uri)
    {
        try
        {
            return uri.IdnHost.Trim('[', ']');
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    private static int PortOf(Uri uri) => (uri.IsDefaultPort || uri.Port < 0, uri.Scheme) switch
    {
        (true, "smtps") => 465,
        (true, _) => 25,
        _ => uri.Port,
    };

    /// <param name="Host">Null for the mail exchangers of the domain.</param>
    private readonly record struct Target(NextHop.SmartHost? Host, IPAddress? Bind);
}
