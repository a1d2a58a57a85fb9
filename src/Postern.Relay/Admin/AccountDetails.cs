using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>An account as an operator sees it.</summary>
/// <param name="CreatedAt">Null for a user of another store, who has no account in the directory.</param>
public sealed record AccountDetails(
    string Name, bool Enabled, DateTimeOffset? CreatedAt, ImmutableArray<string> Addresses, ImmutableArray<string> Domains, ImmutableArray<CredentialDetails> Credentials)
{
    /// <summary>Accounts as which it may act.</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];

    /// <summary>The store whose password logs it in: the directory, or another that the configuration names. Null where none has one, or nobody asked.</summary>
    public string? LogsInBy { get; init; }

    /// <summary>What each store says of it, in their order; empty where nobody asked.</summary>
    public ImmutableArray<StoreWord> Stores { get; init; } = [];

    /// <summary>One store's answer, without any secret.</summary>
    public sealed record StoreWord(string Store, string Says);
}
