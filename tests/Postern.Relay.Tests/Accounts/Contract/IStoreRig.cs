using Postern.Relay.Accounts;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>The real thing behind a kind of account store: started once for all tests of the store, each of which has users of its own.</summary>
public interface IStoreRig : IAsyncLifetime
{
    /// <summary>As the page calls it.</summary>
    string Word { get; }

    /// <summary>What there is to try.</summary>
    StoreAbilities Abilities { get; }

    /// <summary>Ways to fail, each with what becomes of logins; a failure that is not here cannot happen to it.</summary>
    IReadOnlyDictionary<StoreFailure, StoreFault> Faults { get; }

    /// <summary>Not to stand in any text.</summary>
    string? ServicePassword => null;

    /// <summary>It can say of nobody that it knows him before his password is right.</summary>
    bool PresumesUsers => false;

    /// <summary>Mechanisms are passed on to it: what those tell of a name is the source's own doing.</summary>
    bool PassesOn => false;

    /// <summary>In octets.</summary>
    int LongestPassword => 1000;

    /// <summary>A user with this name and these stored secrets, in place of whoever had the name.</summary>
    Task PutAsync(RigUser user);

    Task RemoveAsync(string name);

    /// <summary>False for a name that cannot be written there.</summary>
    bool CanHold(string name) => true;

    /// <summary>How many passwords it was asked about until now; null where it checks none itself.</summary>
    Task<long?> CountChecksAsync() => Task.FromResult<long?>(null);

    /// <summary>The entry of the configuration, as it is read.</summary>
    AccountSource Configure();

    /// <summary>The same by a socket of this machine; null where there is none.</summary>
    AccountSource? ConfigureSocket() => null;
}

/// <summary>A user as it is to be at the source.</summary>
/// <param name="Secrets">Stored forms, or passwords as they are.</param>
public sealed record RigUser(string Name, params string[] Secrets)
{
    public bool IsDisabled { get; init; }

    /// <summary>Of all secrets.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public string[]? Addresses { get; init; }

    public string[] Domains { get; init; } = [];

    public string? Tenant { get; init; }

    /// <summary>What the source calls it; null for the name.</summary>
    public string? AccountName { get; init; }
}

/// <summary>What can be said of users in a store.</summary>
[Flags]
public enum StoreAbilities
{
    None = 0,

    /// <summary>Passwords as they are, from which every mechanism is answered.</summary>
    Readable = 1,

    /// <summary>Stored forms as <c>PasswordHash.Parse</c> reads them.</summary>
    Forms = 2,

    Disabled = 4,

    /// <summary>Several secrets of one user.</summary>
    Several = 8,

    Expiry = 16,

    /// <summary>Addresses, domains, tenant.</summary>
    Rights = 32,

    /// <summary>It changes while the server runs.</summary>
    Reload = 64,

    /// <summary>Another name for the account than its login.</summary>
    AccountNames = 128,

    /// <summary>It can be asked over a socket of this machine.</summary>
    Socket = 256,
}

/// <summary>How a store can fail.</summary>
public enum StoreFailure
{
    Stopped,
    Hangs,
    HalfOpen,
    Locked,
    Damaged,
    WrongServicePassword,
    ExpiredCertificate,
    CertificateOfAnotherName,
    MissingColumn,
    MissingTable,
    TooLarge,
    SeveralAccounts,
    Refused,
    NotThere,
    Fails,
    SendsElsewhere,
    Sealed,
    OlderKind,
    AnotherUser,
}

/// <summary>One way to fail.</summary>
/// <param name="Said">What is told of it, where a login cannot be answered; null where logins go on.</param>
/// <param name="Begin">Begins the failure; what it answers ends it.</param>
/// <param name="Entry">The entry with which it fails, where that is another one.</param>
public sealed record StoreFault(string? Said, Func<Task<Func<Task>>> Begin, Func<AccountSource>? Entry = null)
{
    /// <summary>Nothing is said at all: the deadline ends the question.</summary>
    public bool IsSilent { get; init; }
}
