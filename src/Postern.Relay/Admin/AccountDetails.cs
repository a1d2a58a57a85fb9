using System.Collections.Immutable;
using Postern.Relay.Accounts.Credentials;

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

    /// <summary>Made for one program or device.</summary>
    public bool IsApp { get; init; }

    /// <summary>Null where it may do what its account may.</summary>
    public LimitDetails? Limits { get; init; }

    /// <summary>The last login by it; null where there was none that is known. A running server writes it within seconds.</summary>
    public LastUse? LastUse { get; init; }
}

/// <summary>What a credential is limited to; what is empty is not.</summary>
/// <param name="FirstNetwork">It belongs to the network that uses it first.</param>
/// <param name="BoundTo">That network; null before the first use.</param>
public sealed record LimitDetails(
    ImmutableArray<string> Listeners, ImmutableArray<string> Networks, ImmutableArray<string> Senders, bool FirstNetwork, string? BoundTo)
{
    /// <summary>When that was.</summary>
    public DateTimeOffset? BoundAt { get; init; }

    /// <summary>For people, as the end of a sentence that begins with "good only".</summary>
    internal string Words { get; init; } = string.Empty;

    public override string ToString() => Words;

    internal static LimitDetails? Of(CredentialLimits limits, DateTimeOffset? boundAt = null) => limits.IsNone
        ? null
        : new LimitDetails(
            limits.Listeners,
            [.. limits.Networks.Select(static network => network.ToString())],
            limits.Senders,
            limits.IsFirstNetwork,
            limits.Bound?.ToString())
        {
            BoundAt = boundAt,
            Words = limits.ToString(),
        };
}

/// <summary>A domain as an operator sees it.</summary>
/// <param name="Accepts">Its recipients are accepted from anyone.</param>
/// <param name="Networks">Clients in these may send for it without a password.</param>
public sealed record DomainDetails(string Name, bool Accepts, ImmutableArray<string> Networks);

/// <summary>Clients in <paramref name="Cidr"/> may send for <paramref name="Domain"/> without a password.</summary>
public sealed record NetworkDetails(string Cidr, string Domain);
