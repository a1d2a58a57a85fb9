using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>The way that an operator has chosen for a message in the place of the routes, as a route's <c>via</c> is written.</summary>
internal static class OtherWay
{
    /// <summary>Operators name few; what is beyond it is read each time.</summary>
    private const int Most = 1000;

    private static readonly ConcurrentDictionary<string, RouteTable> Known = new(StringComparer.Ordinal);

    /// <summary>
    /// What an operator may choose: to have a program of this machine run, or a file written, is for those who write the configuration.
    /// </summary>
    private static readonly string[] Allowed = ["mx", "smtp://", "smtps://", "lmtp://"];

    /// <summary>What is wrong with it; null where it can be taken.</summary>
    public static string? WhyNot(string via) =>
        !Array.Exists(Allowed, way => way == "mx" ? via == way : via.StartsWith(way, StringComparison.OrdinalIgnoreCase))
            ? $"'{via}' is not right here; expected smtp://host[:port], smtps://host[:port], lmtp://host:port or mx"
            : RouteTable.Parse([new Route("*", via)]) is RouteParse.Wrong(_, _, var message) ? message : null;

    /// <summary>The next hop; the mail exchangers of the domain where it cannot be read any more.</summary>
    public static NextHop Find(string via, Envelope envelope, Mailbox recipient) => TableOf(via).Find(envelope, recipient);

    private static RouteTable TableOf(string via)
    {
        if (Known.TryGetValue(via, out var known))
            return known;
        var table = WhyNot(via) is null && RouteTable.Parse([new Route("*", via)]) is RouteParse.Ok(var read) ? read : RouteTable.Mx;
        return Known.Count < Most ? Known.GetOrAdd(via, table) : table;
    }
}
