using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Which next hop a recipient of a message has. The recipient's domain comes first: the routes to the exact domain, else those to the
/// longest <c>.suffix</c>, else those to <c>*</c>. Among routes to the same, the first in the list whose conditions (sender, login,
/// listener, tenant) hold decides; where none of them does, the less specific ones are asked. What no route is for goes to the domain's
/// mail exchangers. Immutable.
/// </summary>
public sealed class RouteTable
{
    private readonly FrozenDictionary<string, RouteReader.Entry[]> routes;

    private RouteTable(FrozenDictionary<string, RouteReader.Entry[]> routes, bool holds)
    {
        this.routes = routes;
        Holds = holds;
    }

    /// <summary>No delivery is configured: messages wait in the spool until one is.</summary>
    public static RouteTable Hold { get; } = new(FrozenDictionary<string, RouteReader.Entry[]>.Empty, holds: true);

    /// <summary>Everything goes to the mail exchangers of its domain.</summary>
    public static RouteTable Mx { get; } = new(FrozenDictionary<string, RouteReader.Entry[]>.Empty, holds: false);

    public bool Holds { get; }

    /// <summary>
    /// Some route can pass a message with REQUIRETLS on (RFC 8689): to a host that was named, over TLS. Mail exchangers can where
    /// <see cref="Tls.DeliveryTls.CanProve"/> says so.
    /// </summary>
    public bool CanRequireTls =>
        routes.Values.Any(
            static same => same.Any(
                static route => route.Host is NextHop.SmartHost host && host.Servers.Any(static s => s.Tls != ClientTls.None)));

    /// <summary>Some route tells its server whose mail it is given.</summary>
    public bool ForwardsClients =>
        routes.Values.Any(
            static same => same.Any(static route => route.Host is NextHop.SmartHost { Forward: not ClientForward.None }));

    /// <summary>
    /// The route that takes all that no other one takes, where none leads to mail exchangers; null where some mail may go to them.
    /// </summary>
    public string? NamedForAll =>
        routes.Values.Any(static same => same.Any(static route => route.Host is null)) ? null : NamedFor("*");

    /// <summary>
    /// The route that takes what no other one to the same takes, where none of those leads to mail exchangers; null where some of this mail
    /// may go to them.
    /// </summary>
    /// <param name="to"><c>*</c>, a domain, or <c>.domain</c>, in A-labels.</param>
    public string? NamedFor(string to) =>
        routes.TryGetValue(to, out var same) && Array.TrueForAll(same, static route => route.Host is not null)
            ? Array.Find(same, static route => route.Match.IsAll)?.Name
            : null;

    /// <summary>
    /// The route by which all mail to a domain that no more specific one takes goes to servers or a place that it names; null where some of
    /// this mail may go to mail exchangers.
    /// </summary>
    /// <param name="to">A domain, or <c>.domain</c> for all below it, in A-labels.</param>
    public string? NamedForMailTo(string to)
    {
        if (to.StartsWith('.')
            && routes.Any(r => r.Key.EndsWith(to, StringComparison.Ordinal) && Array.Exists(r.Value, static route => route.Host is null)))
            return null;
        for (var pattern = to; ; pattern = Above(pattern))
        {
            if (routes.TryGetValue(pattern, out var same))
            {
                if (Array.Exists(same, static route => route.Host is null))
                    return null;
                if (Array.Find(same, static route => route.Match.IsAll) is { } all)
                    return all.Name;
            }

            if (pattern == "*")
                return null;
        }
    }

    /// <summary>The next less specific pattern that a domain fits.</summary>
    private static string Above(string pattern) =>
        pattern.IndexOf('.', Math.Min(1, pattern.Length)) is > 0 and var dot ? pattern[dot..] : "*";

    /// <summary>The servers that a route names; empty for mail exchangers, for a place, and for a route that is wrong.</summary>
    public static ImmutableArray<NextHop.Server> ServersOf(Route route) => RouteReader.ServersOf(route);

    /// <summary>Reads routes; stops at the first that is wrong. An empty list means <see cref="Mx"/>.</summary>
    public static RouteParse Parse(IReadOnlyList<Route> routes)
    {
        var found = new Dictionary<string, List<RouteReader.Entry>>(StringComparer.Ordinal);
        for (var i = 0; i < routes.Count; i++)
        {
            if (RouteReader.Read(routes[i], i, out var route) is { } wrong)
                return wrong;
            if (!found.TryGetValue(route.Pattern, out var same))
                found[route.Pattern] = same = [];
            // Behind a route without conditions nothing to the same is ever asked.
            if (same.Exists(static earlier => earlier.Match.IsAll))
                return new RouteParse.Wrong(
                    i,
                    "to",
                    route.Match.IsAll
                        ? $"'{routes[i].To}' has a route already"
                        : $"'{routes[i].To}' has a route without conditions before this one, which is never asked then");
            same.Add(route);
        }

        return new RouteParse.Ok(
            new RouteTable(
                found.ToFrozenDictionary(static r => r.Key, static r => r.Value.ToArray(), StringComparer.Ordinal), holds: false));
    }

    /// <summary>
    /// The pools of tenants, by their names without case: for mail of theirs whose route has neither a pool nor an address of its own.
    /// </summary>
    public FrozenDictionary<string, string> PoolsOfTenants { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Routes about which something is said that is not in them: what they lead to is known by their names.</summary>
    public FrozenSet<string> ShapedRoutes { get; init; } = FrozenSet<string>.Empty;

    /// <summary>What a next hop is counted under: the <c>to</c> of the first route that leads there; mail exchangers all as one.</summary>
    internal string LabelOf(NextHop hop)
    {
        if (hop is NextHop.MailExchanger)
            return DeliveryInstruments.MailExchangers;
        foreach (var (to, same) in routes)
        {
            if (Array.Exists(same, route => route.Host?.Name == hop.Name))
                return to;
        }

        return "other";
    }

    /// <summary>Where a recipient of a message goes.</summary>
    public NextHop Find(Envelope envelope, Mailbox recipient) => HopOf(Decide(envelope, recipient.Domain), envelope, recipient);

    /// <summary>
    /// The route that decides, as <see cref="Route.Name"/>; null where none does, and the mail exchangers of the domain are asked.
    /// </summary>
    public string? NameOf(Envelope envelope, Mailbox recipient) => Decide(envelope, recipient.Domain)?.Name;

    /// <summary>
    /// The pattern of routes that are to the domain, or to those above it, by name; null where none are, and the route to all domains
    /// counts, or none.
    /// </summary>
    public string? PatternOf(Domain domain)
    {
        var name = domain.Text;
        if (routes.ContainsKey(name))
            return name;
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (routes.ContainsKey(name[dot..]))
                return name[dot..];
        }

        return null;
    }

    /// <summary>
    /// The same two answers for people, with the routes to this recipient's domain that were asked before, and why they were not taken.
    /// </summary>
    public RouteChoice Choose(Envelope envelope, Mailbox recipient)
    {
        var passedOver = new List<RouteChoice.Passed>();
        if (Holds)
            return new RouteChoice(Route: null, Hop: null, []);
        var decided = Decide(envelope, recipient.Domain, (route, because) => passedOver.Add(new(route.Name, because)));
        return new RouteChoice(
            decided?.Name, HopOf(decided, envelope, recipient), [.. passedOver]);
    }

    /// <summary>The same for mail with the null sender and without a login, where only the domain and the tenant are known.</summary>
    internal RouteChoice Choose(Domain domain, string? tenant)
    {
        var recipient = Mailbox.Parse($"postmaster@{domain.Text}");
        var envelope = new Envelope
        {
            Id = default,
            ArrivedAt = default,
            Said = new(ReversePath.Null, [recipient]),
            Tenant = tenant,
        };
        return Choose(envelope, recipient);
    }

    /// <summary>The same table, with <see cref="PoolsOfTenants"/> and <see cref="ShapedRoutes"/>.</summary>
    public RouteTable With(FrozenDictionary<string, string> poolsOfTenants, FrozenSet<string>? shapedRoutes = null) =>
        new(routes, Holds) { PoolsOfTenants = poolsOfTenants, ShapedRoutes = shapedRoutes ?? FrozenSet<string>.Empty };

    private NextHop HopOf(RouteReader.Entry? decided, Envelope envelope, Mailbox recipient)
    {
        var hop = decided?.HopFor(recipient.Domain) ?? new NextHop.MailExchanger(recipient.Domain);
        if ((envelope.IsTlsOptional || envelope.IsTlsWaived) && hop is NextHop.MailExchanger exchangers)
            hop = exchangers with { IsTlsOptional = envelope.IsTlsOptional, IsTlsWaived = envelope.IsTlsWaived };
        if (ShapedRoutes.Count > 0 && decided is not null && ShapedRoutes.Contains(decided.Name))
            hop = hop with { Route = decided.Name };
        return PoolsOfTenants.Count > 0
            && envelope.Tenant is { } tenant
            && hop is not NextHop.Elsewhere and { Pool: null, Bind: null, Hello: null }
            && PoolsOfTenants.TryGetValue(tenant, out var pool)
            ? hop with { Pool = pool }
            : hop;
    }

    /// <summary>What an operator should know of a route that is no mistake; null for nothing.</summary>
    public static string? DoubtOf(Route route) => RouteReader.DoubtOf(route);

    /// <summary>
    /// The host in A-labels; null where the runtime took the name for one, and finds out when it is to be written so that it is none.
    /// </summary>
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

    /// <param name="passedOver">Hears of each route that was asked and is not for this message; null where nobody wants to know.</param>
    private RouteReader.Entry? Decide(Envelope envelope, Domain domain, Action<RouteReader.Entry, string>? passedOver = null)
    {
        if (routes.Count == 0)
            return null;
        var name = domain.Text;
        if (First(name, envelope, passedOver) is { } exact)
            return exact;
        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (First(name[dot..], envelope, passedOver) is { } below)
                return below;
        }

        return First("*", envelope, passedOver);
    }

    private RouteReader.Entry? First(string pattern, Envelope envelope, Action<RouteReader.Entry, string>? passedOver)
    {
        if (!routes.TryGetValue(pattern, out var same))
            return null;
        foreach (var route in same)
        {
            if (route.Match.WhyNot(envelope) is not { } because)
                return route;
            passedOver?.Invoke(route, because);
        }

        return null;
    }
}

/// <summary>Where a recipient goes, and why.</summary>
/// <param name="Route">The route that decides, as <see cref="Delivery.Route.Name"/>; null where none does.</param>
/// <param name="Hop">Null where there are no routes at all, and messages wait for one.</param>
/// <param name="PassedOver">Routes to the same or less specific domains that were asked before it, in their order.</param>
public sealed record RouteChoice(string? Route, NextHop? Hop, ImmutableArray<RouteChoice.Passed> PassedOver)
{
    /// <param name="Because">For people.</param>
    public sealed record Passed(string Route, string Because);
}
