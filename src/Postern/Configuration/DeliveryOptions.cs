using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery;
using Postern.Smtp.Grammar;

namespace Postern.Configuration;

/// <summary><c>delivery</c>: where accepted messages go, and how often that is tried.</summary>
internal sealed record DeliveryOptions(ImmutableArray<RouteOptions> Routes, RetryOptions Retry, ImmutableArray<Domain> Etrn, DnsOptions Dns, MxOptions Mx)
{
    public static DeliveryOptions Read(Section section)
    {
        var options = new DeliveryOptions(
            section.Children("routes", RouteOptions.Read, [], "Next hops. The recipient's domain decides first: routes to the exact domain, else those to the longest `.suffix`, else those to `*`. Among routes to the same, the first in this list whose conditions (`from`, `login_is`, `listener`) all hold is taken; where none of them is, the less specific ones are asked. A recipient that no route is for goes to the mail exchangers of its domain. Without any route every message is held."),
            section.Child("retry", RetryOptions.Read, "When a delivery that failed for now is tried again."),
            section.List("etrn", Kinds.DomainName, [], "none", "Domains whose waiting mail a client may start by ETRN, each at most once a minute. Any client that may connect can ask."),
            section.Child("dns", DnsOptions.Read, "Whom the mail exchangers of a domain are asked of."),
            section.Child("mx", MxOptions.Read, "Delivery to mail exchangers."));

        // Each route was read by itself before: what is wrong now is that one is never asked, as another before it takes all.
        var each = options.Routes.Where(static r => r.Route.To is not null && RouteTable.Parse([r.Route]) is RouteParse.Ok).ToList();
        if (RouteTable.Parse([.. each.Select(static r => r.Route)]) is RouteParse.Wrong(var index, _, var message))
            section.Report("routes", options.Routes.LastIndexOf(each[index]), message);
        return options;
    }
}
