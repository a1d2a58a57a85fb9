using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>An account as an operator sees it.</summary>
/// <param name="CreatedAt">Null for a user of another store, who has no account in the directory.</param>
public sealed record AccountDetails(
    string Name,
    bool Enabled,
    DateTimeOffset? CreatedAt,
    ImmutableArray<string> Addresses,
    ImmutableArray<string> Domains,
    ImmutableArray<CredentialDetails> Credentials)
{
    /// <summary>Whose account it is, of those that share the server; null for nobody's in particular.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// Seconds for which the content of its messages is kept when their delivery is over; 0 for never, null where only the configuration
    /// says it.
    /// </summary>
    public long? KeepSeconds { get; init; }

    /// <summary>Accounts as which it may act.</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];

    /// <summary>
    /// The store whose password logs it in: the directory, or another that the configuration names. Null where none has one, or nobody
    /// asked.
    /// </summary>
    public string? LogsInBy { get; init; }

    /// <summary>What each store says of it, in their order; empty where nobody asked.</summary>
    public ImmutableArray<StoreWord> Stores { get; init; } = [];

    /// <summary>One store's answer, without any secret.</summary>
    public sealed record StoreWord(string Store, string Says);
}

/// <summary>A credential as an operator sees it: everything but the secret and its hash.</summary>
/// <param name="Scheme">How it is stored: <c>SCRAM-SHA-256</c>, <c>$y$</c>, or <c>unknown</c>.</param>
public sealed record CredentialDetails(
    long Id,
    string Account,
    string? Label,
    string Scheme,
    bool Generated,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    bool Expired)
{
    /// <summary>Why whoever steals what is stored soon has the password; null where that is slow.</summary>
    public string? Weakness { get; init; }
}

/// <summary>A domain as an operator sees it.</summary>
/// <param name="Accepts">Its recipients are accepted from anyone.</param>
/// <param name="Networks">Clients in these may send for it without a password.</param>
public sealed record DomainDetails(string Name, bool Accepts, ImmutableArray<string> Networks);

/// <summary>Clients in <paramref name="Cidr"/> may send for <paramref name="Domain"/> without a password.</summary>
public sealed record NetworkDetails(string Cidr, string Domain);
