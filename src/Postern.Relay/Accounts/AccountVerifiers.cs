using System.Collections.Immutable;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Verifiers;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// The verifiers that SASL mechanisms ask, one a kind of question, over all configured stores. Cheap to make: what has a life of its own
/// (threads, budgets, memory of right passwords, the directory) is given to it and outlasts it, so a new configuration is new verifiers.
/// </summary>
/// <param name="cache">
/// Shared by all that are ever made: its entries are those of a store and the whole state of a user, so a store that changed finds none of
/// the old one's.
/// </param>
public sealed class AccountVerifiers(
    IReadOnlyList<IAccountStore> stores, HashingPool pool, VerificationCache cache, TimeProvider clock, LoginProtection? protection = null)
{
    private LoginParts? parts;

    /// <summary>
    /// What mechanisms may ask. A verifier that no store could ever answer is absent, and so is every mechanism that needs it.
    /// </summary>
    public SaslContext Context => new()
    {
        Passwords = Passwords,
        ScramSecrets = ScramSecrets,
        SharedSecrets = Stores.Can(StoredForms.Shared) ? SharedSecrets : null,
        DigestSecrets = Stores.Can(StoredForms.Digest) ? DigestSecrets : null,
        Tokens = Tokens,
        Grants = Grants,
        Decoys = Decoys,
        Elsewhere = Elsewhere,
        AllowsAnonymous = true, // no use by itself: it is offered only where a listener names it, and permits nothing
    };

    /// <summary>Verifies bearer tokens; null where no issuer is configured.</summary>
    public ITokenVerifier? Tokens { get; init; }

    /// <summary>Says who is disabled, and adds rights; null where there is none.</summary>
    public IDirectory? Directory { get; init; }

    /// <summary>Gives weak forms of the directory up for better ones; null where they stay.</summary>
    public FormReplacement? Replacement { get; init; }

    /// <summary>The listener whose logins these are, to which a credential may be limited; null where nobody says.</summary>
    public string? Listener { get; init; }

    /// <summary>Notes which credential is used, and where; null where no login is real.</summary>
    public CredentialUses? Uses { get; init; }

    /// <summary>What stands in for users that do not exist.</summary>
    public Decoys Decoys { get; init; } = Decoys.ForProcess;

    /// <summary>The stores in their order.</summary>
    public StoreChain Stores => Parts.Stores;

    /// <summary>The accounts of all stores, with the rights that the directory adds; what policies ask.</summary>
    public IDirectory? Accounts => Directory is null ? null : field ??= new AllAccounts(Directory, Stores);

    /// <summary>The mechanisms that every user of these stores can use (<see cref="MechanismOffer.Usual"/>).</summary>
    public ImmutableArray<string> UsualMechanisms => MechanismOffer.Usual(stores.Select(static s => s.CommonForms), Elsewhere?.Usual);

    /// <summary>PLAIN and LOGIN.</summary>
    public IPasswordVerifier Passwords => field ??= new StoredPasswords(Parts);

    /// <summary>SCRAM.</summary>
    public IScramSecrets ScramSecrets => field ??= new StoredScramSecrets(Parts);

    /// <summary>CRAM-MD5.</summary>
    public ISharedSecrets SharedSecrets => field ??= new StoredSharedSecrets(Parts);

    /// <summary>DIGEST-MD5.</summary>
    public IDigestSecrets DigestSecrets => field ??= new StoredDigestSecrets(Parts);

    /// <summary>Who may act as whom.</summary>
    public IAuthorizationGrants Grants => field ??= new AccountGrants(Accounts, Users);

    /// <summary>For operators: what the stores say of a user.</summary>
    public UserDescriptions Descriptions => field ??= new UserDescriptions(Parts, Directory);

    /// <summary>The mechanisms that stores answer themselves; null where none does.</summary>
    internal StoreMechanisms? Elsewhere =>
        field ??= stores.Any(static s => s.OwnMechanisms is not null) ? new StoreMechanisms(Parts, Grants) : null;

    private ProvenUsers Users => field ??= new ProvenUsers(Parts);

    private LoginParts Parts => parts ??= new(new StoreChain(stores, Directory), pool, cache, protection, Decoys, Replacement, clock)
    {
        Listener = Listener,
        Uses = Uses,
    };

    /// <summary>
    /// Whether there is a user, in any spelling, whom a token, a ticket or a certificate has already proven. An account without a
    /// credential is good enough; a disabled one is not.
    /// </summary>
    public ValueTask<LoginAnswer> IdentifyAsync(string user, CancellationToken ct) => Users.IdentifyAsync(user, ct);
}
