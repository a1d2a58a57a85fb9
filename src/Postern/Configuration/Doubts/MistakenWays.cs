using System.Globalization;
using System.Net;
using Postern.Relay.Delivery;

namespace Postern.Configuration.Doubts;

/// <summary>Routes and domains that are written properly and lead elsewhere than was meant. Each by its key.</summary>
internal static class MistakenWays
{
    public static IEnumerable<(string Key, string Text)> Of(PosternConfiguration configuration) =>
        [.. OfSenders(configuration), .. OfOwnListeners(configuration), .. OfDomains(configuration)];

    /// <summary>A word without a dot is a domain of that name, which no sender has.</summary>
    private static IEnumerable<(string Key, string Text)> OfSenders(PosternConfiguration configuration) =>
        from route in configuration.Delivery.Routes.Select(static (route, i) => (route.Route.From, Index: i))
        from sender in route.From
        let name = sender.TrimStart('@')
        where name != "<>" && !name.Contains('@', StringComparison.Ordinal) && !name.Contains('.', StringComparison.Ordinal)
            && name != "localhost"
        select (
            $"{Item("delivery.routes", route.Index)}.from",
            $"'{sender}' is the domain {name}, and hardly any sender is there: an address or @domain is meant; a login is 'login_is'");

    /// <summary>Mail that this server would hand to itself fails as a loop.</summary>
    private static IEnumerable<(string Key, string Text)> OfOwnListeners(PosternConfiguration configuration)
    {
        for (var i = 0; i < configuration.Delivery.Routes.Length; i++)
        {
            var servers = RouteTable.ServersOf(configuration.Delivery.Routes[i].Route);
            var own = servers.Select(server => (server, Listener: ListenerAt(configuration, server)))
                .FirstOrDefault(static found => found.Listener is not null);
            if (own.Listener is { } listener)
                yield return (
                    $"{Item("delivery.routes", i)}.via",
                    $"{own.server.Name} is this server's own listener {listener}: mail on this route would come straight back, and fails");
        }
    }

    private static string? ListenerAt(PosternConfiguration configuration, NextHop.Server server) =>
        server.Socket is not null || server.Lookup != ServerLookup.Address
            ? null
            : ListenerAt(configuration, server.Host, server.Port);

    /// <summary>The listener of this server that is there, as far as can be seen without asking anybody; null for none.</summary>
    public static string? ListenerAt(PosternConfiguration configuration, string host, int port)
    {
        var address = IPAddress.TryParse(host, out var written) ? written
            : host == "localhost" || host.Equals(configuration.Server.Hostname.Text, StringComparison.OrdinalIgnoreCase)
                ? IPAddress.Loopback
                : null;
        return address is null ? null : configuration.Listeners.FirstOrDefault(
            listener => listener.Endpoints.Any(at => at.Port == port && Reaches(at.Address, address)))?.Name;
    }

    private static bool Reaches(IPAddress listener, IPAddress address) =>
        listener.Equals(address)
        || (IPAddress.IsLoopback(address) && (listener.Equals(IPAddress.Any) || listener.Equals(IPAddress.IPv6Any)));

    /// <summary>
    /// Domains of ours whose mail is taken from anyone, and whose way on nobody says: DNS leads back here, or nowhere. Where addresses
    /// stand for others, all of a domain's may.
    /// </summary>
    private static IEnumerable<(string Key, string Text)> OfDomains(PosternConfiguration configuration)
    {
        var delivery = configuration.Delivery;
        if (delivery.Routes.IsEmpty
            || !delivery.Aliases.IsEmpty
            || !delivery.Forwards.IsEmpty
            || RouteTable.Parse([.. delivery.Routes.Select(static r => r.Route)]) is not RouteParse.Ok(var routes))
            yield break;
        for (var i = 0; i < configuration.Domains.Length; i++)
        {
            var domain = configuration.Domains[i];
            if (routes.PatternOf(domain) is null && routes.NamedForAll is null)
                yield return (
                    Item("domains", i),
                    $"mail to {domain} is taken from anyone, and no route is to it, so that it goes where its MX records lead: "
                        + $"say in delivery.routes which server has its mailboxes, or {{ to: {domain}, via: mx }} where that is meant");
        }
    }

    private static string Item(string list, int index) => $"{list}[{index.ToString(CultureInfo.InvariantCulture)}]";
}
