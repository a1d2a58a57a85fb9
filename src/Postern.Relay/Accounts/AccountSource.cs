using System.Net;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;

namespace Postern.Relay.Accounts;

/// <summary>
/// One entry of <c>accounts</c>: where users are kept. A kind of store with keys of its own derives from it; two that are equal open the
/// same store.
/// </summary>
/// <param name="Uri"><c>directory</c>, or a URI whose scheme names the kind of store.</param>
/// <param name="Realm">The realm for which DIGEST-MD5 secrets are kept there.</param>
public record AccountSource(string Uri, string Realm)
{
    /// <summary>How it is asked, where it does not answer from memory.</summary>
    public StoreTerms Terms { get; init; } = new();

    /// <summary>The logins that it is asked for; null for all.</summary>
    public LoginPatterns? Logins { get; init; }

    /// <summary>Where the directory's database is, for questions before it is open; null where nobody asks them.</summary>
    public string? Database { get; init; }

    /// <summary>A mail server that is asked by logging in there; null for none. This server would ask itself.</summary>
    public virtual DnsEndPoint? LoginServer => null;

    /// <summary>The same of a Unix socket, by its path; null for none.</summary>
    public virtual string? LoginSocket => null;
}
