using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Policy;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Runtime;

/// <summary>Recipients that files of aliases and forwards name, and those of domains that have a route of their own.</summary>
internal sealed class ListedRecipients(AliasTable aliases, RouteTable routes) : IListedRecipients
{
    public string? WhyListed(Mailbox recipient) =>
        aliases.Find(recipient) is { Problem: null, Place: var place } ? $"stands in {place}"
        : routes.PatternOf(recipient.Domain) is { } pattern ? $"is for the route to {pattern}"
        : null;

    public bool IsExpanded(Mailbox recipient) => aliases.Find(recipient) is { Problem: null };

    public bool IsLocal(Domain domain) => aliases.Sources.Any(file => file.Source.Domains.Contains(domain));
}
