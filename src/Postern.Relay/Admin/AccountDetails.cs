using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>An account as an operator sees it.</summary>
public sealed record AccountDetails(
    string Name, bool Enabled, DateTimeOffset CreatedAt, ImmutableArray<string> Addresses, ImmutableArray<string> Domains, ImmutableArray<CredentialDetails> Credentials)
{
    /// <summary>Accounts as which it may act.</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];
}
