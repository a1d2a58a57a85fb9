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
            section.Children("routes", RouteOptions.Read, [], "Next hops by recipient domain: the exact domain, else the longest `.suffix`, else `*`; a domain that no route names goes to its mail exchangers. Without any route every message is held."),
            section.Child("retry", RetryOptions.Read, "When a delivery that failed for now is tried again."),
            section.List("etrn", Kinds.DomainName, [], "none", "Domains whose waiting mail a client may start by ETRN, each at most once a minute. Any client that may connect can ask."),
            section.Child("dns", DnsOptions.Read, "Whom the mail exchangers of a domain are asked of."),
            section.Child("mx", MxOptions.Read, "Delivery to mail exchangers."));

        // Each route was read by itself before: what is wrong now is that two are for the same.
        var each = options.Routes.Where(static r => r.To is not null && RouteTable.Parse([r.ToRoute()]) is RouteParse.Ok).ToList();
        if (RouteTable.Parse([.. each.Select(static r => r.ToRoute())]) is RouteParse.Wrong(var index, _, var message))
            section.Report("routes", options.Routes.LastIndexOf(each[index]), message);
        return options;
    }
}
