using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Tenants;

/// <summary>Whose mail is a tenant's, beside that of the accounts that are its own, and what that mail may be.</summary>
/// <param name="Name">In any case.</param>
public sealed record TenantTerms(string Name)
{
    /// <summary>
    /// The header field in which a client names the tenant, such as <c>X-Tenant</c>; null for none. Only <see cref="Logins"/> may.
    /// </summary>
    public string? Header { get; init; }

    /// <summary>Authorization ids that may name the tenant in <see cref="Header"/>.</summary>
    public ImmutableArray<string> Logins { get; init; } = [];

    /// <summary>Listeners whose clients are the tenant's, unless they log in to another's account.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>The same of networks.</summary>
    public ImmutableArray<IPNetwork> Networks { get; init; } = [];

    /// <summary>
    /// Domains that its senders have, and no others; empty for any. A login without a tenant that sends as one of them is the tenant's.
    /// </summary>
    public ImmutableArray<Domain> Domains { get; init; } = [];

    /// <summary>Header fields that its messages are given: name, colon and text, printable US-ASCII, without line ends.</summary>
    public ImmutableArray<string> Fields { get; init; } = [];
}
