using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>
/// What the configuration says of recipients: aliases, forwards, lists and routes. It is in memory, and may be asked from any thread.
/// </summary>
public interface IListedRecipients
{
    /// <summary>What says where mail for the address goes, for people; null where nothing names it or its domain.</summary>
    string? WhyListed(Mailbox recipient);

    /// <summary>It stands for other addresses, by an alias, a forward or a list: no server is told its name.</summary>
    bool IsExpanded(Mailbox recipient) => false;

    /// <summary>Names without a domain are of this one, whether or not it is accepted.</summary>
    bool IsLocal(Domain domain);
}
