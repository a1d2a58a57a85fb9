using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>
/// The facts that decisions rest on: accounts, domains, networks. A change by any process is seen by the next question. What answers from
/// memory does so at once and allocates nothing; what has to ask somebody else ends the question by its own deadline.
/// </summary>
/// <remarks>
/// Every member throws <see cref="DirectoryUnavailableException"/> when the question cannot be answered: callers fail closed with a 4xx.
/// </remarks>
public interface IDirectory
{
    /// <summary>By canonical name; null when there is none.</summary>
    ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct);

    /// <summary>
    /// One of an account's secrets, by its <see cref="StoredCredential.Id"/>, as it is now; null when there is none.
    /// </summary>
    ValueTask<StoredCredential?> FindCredentialAsync(string name, string id, CancellationToken ct) => default;

    /// <summary>
    /// The name of an account that has the address among its own; null when there is none. One that is only named by it need not be found.
    /// </summary>
    ValueTask<string?> FindOwnerAsync(Mailbox address, CancellationToken ct) => default;

    /// <summary>The domain is registered here, as a sender domain or with --accept.</summary>
    ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct);

    /// <summary>Recipients of the domain are accepted from anyone.</summary>
    ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct);

    /// <summary>
    /// The network, as written by the operator, through which <paramref name="client"/> may send for <paramref name="domain"/> without
    /// a password; null when none. IPv4-mapped addresses count as IPv4.
    /// </summary>
    ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct);
}
