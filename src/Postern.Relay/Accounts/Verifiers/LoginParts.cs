using System.Runtime.CompilerServices;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>What every verifier works with: the stores of this configuration, and what outlasts it.</summary>
/// <param name="Protection">Null where nobody counts guesses.</param>
/// <param name="Replacement">Gives weak forms of the directory up for better ones; null where they stay.</param>
internal sealed record LoginParts(
    StoreChain Stores,
    HashingPool Hashing,
    VerificationCache Cache,
    LoginProtection? Protection,
    Decoys Decoys,
    FormReplacement? Replacement,
    TimeProvider Clock)
{
    /// <summary>The listener whose logins these are; null where nobody says.</summary>
    public string? Listener { get; init; }

    /// <summary>Notes what is used, and where; null where no login is real.</summary>
    public CredentialUses? Uses { get; init; }

    private readonly StrongBox<int> mostProofs = new(1);

    public const string UnknownUser = "unknown user";

    public const string NoName = "the user name is not one that an account can have";

    /// <summary>Whose budget a login is, also of a name that no account can have.</summary>
    public static string BudgetNameOf(string user) => LoginNames.TryCanonical(user, out var canonical) ? canonical : user;

    /// <summary>Of the user with the most secrets that one challenge serves, of those that were asked for so far.</summary>
    public int MostProofs => Volatile.Read(ref mostProofs.Value);

    /// <summary>A user has so many.</summary>
    public void NoteProofs(int count)
    {
        for (var most = MostProofs; count > most; most = MostProofs)
            Interlocked.CompareExchange(ref mostProofs.Value, count, most);
    }

    /// <summary>Where a login of this client comes from.</summary>
    public LoginOrigin OriginOf(string? peer) => new(Listener, peer);

    /// <param name="login">As it was when it was proven.</param>
    /// <param name="credential">
    /// What proved it; null where a store, a certificate, a ticket or a token did, and any enabled account will do.
    /// </param>
    public LoginAuthority AuthorityOf(StoredLogin login, StoredCredential? credential, LoginOrigin origin = default) =>
        new(Stores, Replacement, Clock, login, credential, origin);

    /// <summary>What is told in place of success by this credential; null for success.</summary>
    public ValueTask<LoginAnswer?> UseAsync(StoredLogin login, StoredCredential credential, LoginOrigin origin, CancellationToken ct) =>
        Uses is null ? default : Uses.UseAsync(login.User, credential, origin, ct);

    /// <summary>The user has logged in from there before; then its password is hashed before others.</summary>
    public bool Knows(string user, string? peer) => Protection?.IsKnown(user, peer) is true;

    /// <summary>
    /// The newest credential with <paramref name="form"/> that has not expired; a challenge can name only one. Those of single programs
    /// (<see cref="StoredCredential.IsApp"/>) come behind all others: one more of them must not shut out who logs in by the account's own.
    /// Where it may be used is no matter here, for a stranger sees which one it is.
    /// </summary>
    public StoredCredential? NewestOf(StoredLogin login, StoredForms form, Func<PasswordHash, bool>? fits = null)
    {
        var now = Clock.GetUtcNow();
        StoredCredential? app = null;
        for (var i = login.Credentials.Length - 1; i >= 0; i--)
        {
            var one = login.Credentials[i];
            if (!one.Hash.Forms.HasFlag(form) || one.ExpiresAt <= now || fits?.Invoke(one.Hash) is false)
                continue;
            if (!one.IsApp)
                return one;
            app ??= one;
        }

        return app;
    }
}
