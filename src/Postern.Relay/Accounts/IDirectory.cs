using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>
/// The facts that decisions rest on: accounts, domains, networks. Answers come from memory where nothing changed since the last
/// look; a change by any process is seen by the next question.
/// </summary>
/// <remarks>Every member throws <see cref="DirectoryUnavailableException"/> when the database cannot answer: callers fail closed with a 4xx.</remarks>
public interface IDirectory
{
    /// <summary>By canonical name; null when there is none.</summary>
    Account? FindAccount(string name);

    /// <summary>The domain is registered here, as a sender domain or with --accept.</summary>
    bool IsListed(Domain domain);

    /// <summary>Recipients of the domain are accepted from anyone.</summary>
    bool AcceptsRecipients(Domain domain);

    /// <summary>
    /// The network, as written by the operator, through which <paramref name="client"/> may send for <paramref name="domain"/> without
    /// a password; null when none. IPv4-mapped addresses count as IPv4.
    /// </summary>
    IPNetwork? FindNetwork(IPAddress client, Domain domain);
}
