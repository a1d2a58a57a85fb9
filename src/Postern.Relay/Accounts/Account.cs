using System.Collections.Immutable;

namespace Postern.Relay.Accounts;

/// <summary>An identity and what it may send as. Names and addresses are in canonical form (lower case).</summary>
/// <param name="Name">The canonical name; what logs, limits and decisions key on.</param>
/// <param name="Enabled">A disabled account can neither log in nor send.</param>
/// <param name="Addresses">It may send as each of these addresses.</param>
/// <param name="Domains">It may send as any address of each of these domains.</param>
public sealed record Account(string Name, bool Enabled, ImmutableArray<string> Addresses, ImmutableArray<string> Domains)
{
    /// <summary>Names of the accounts as which it may act, once it has proven itself (RFC 4422 §3.4.1).</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];

    /// <summary>The store that alone knows it; null for an account of the directory, which can be given more rights.</summary>
    public string? Store { get; init; }
}
