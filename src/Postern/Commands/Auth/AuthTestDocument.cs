using System.Collections.Immutable;
using Postern.Relay.Accounts.Protection;
using Postern.Web.Documents;

namespace Postern.Commands.Auth;

/// <summary>What <c>auth test --json</c> prints.</summary>
/// <param name="Ok">Some attempt succeeded.</param>
internal sealed record AuthTestDocument(bool Ok, ImmutableArray<StoreWordDocument> Stores, ImmutableArray<LoginAttemptDocument> Attempts)
{
    /// <summary>What an attempt says that no listener offers.</summary>
    public const string Nowhere = "nowhere";

    /// <summary>The name as everything compares it; null where no account can have it.</summary>
    public string? Name { get; init; }

    /// <summary>Where the login might come in.</summary>
    public ImmutableArray<string> Listeners { get; init; } = [];

    /// <summary>What the store that answers keeps of the user; empty where it checks passwords itself, and where none answers.</summary>
    public ImmutableArray<CredentialDocument> Credentials { get; init; } = [];

    /// <summary>What the user may send as once it is logged in; null where there is no account.</summary>
    public AccountDocument? Account { get; init; }

    /// <summary>Why that cannot be said; null where it can.</summary>
    public string? AccountTrouble { get; init; }

    /// <summary>What the stores say to the running server, which remembers; null where none runs, or it cannot be asked.</summary>
    public ImmutableArray<StoreWordDocument>? InServer { get; init; }

    /// <summary>What slows logins of this account; null where no account can have the name.</summary>
    public ProtectionDocument? Protection { get; init; }

    /// <summary>What to do where it does not come out as it should, a sentence each; empty where all is well.</summary>
    public ImmutableArray<string> Fix { get; init; } = [];
}

/// <summary>One of the user's secrets, without the secret.</summary>
/// <param name="Form">The stored form, in words.</param>
/// <param name="Serves">The mechanisms that can be computed from it.</param>
/// <param name="Weakness">Why it should be another form; null where it is good.</param>
internal sealed record CredentialDocument(
    string Name, string Form, ImmutableArray<string> Serves, string? Weakness, DateTimeOffset? ExpiresAt);

/// <summary>Whom a login becomes.</summary>
/// <param name="Store">That alone knows it, or has disabled it; null for an account of the directory.</param>
internal sealed record AccountDocument(
    string Name,
    bool Enabled,
    ImmutableArray<string> Addresses,
    ImmutableArray<string> Domains,
    ImmutableArray<string> ActsAs,
    string? Tenant,
    string? Store);

/// <summary>What slows logins.</summary>
/// <param name="State">Why nothing can be said; null where it can.</param>
/// <param name="Blocks">Empty where nothing slows them.</param>
internal sealed record ProtectionDocument(string? State, ImmutableArray<LoginBlock> Blocks);

/// <summary>A login by one mechanism.</summary>
/// <param name="Reply">What a client of SMTP would be told.</param>
/// <param name="Reason">What the audit log would hold.</param>
/// <param name="Offered">The listeners that offer it.</param>
internal sealed record LoginAttemptDocument(
    string Mechanism, bool Ok, string Reply, string Reason, string Offered, ImmutableArray<LoginStepDocument> Steps)
{
    /// <summary>The server's part.</summary>
    public double Milliseconds { get; init; }
}

/// <summary>One message of a login.</summary>
/// <param name="What">What was sent, without anything that is secret.</param>
internal sealed record LoginStepDocument(string Who, string What)
{
    /// <summary>How long the server took for it; null for the client's.</summary>
    public double? Milliseconds { get; init; }
}
