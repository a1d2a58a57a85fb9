using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;

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
    public const string UnknownUser = "unknown user";

    public const string NoName = "the user name is not one that an account can have";

    /// <summary>Whose budget a login is, also of a name that no account can have.</summary>
    public static string BudgetNameOf(string user) => LoginNames.TryCanonical(user, out var canonical) ? canonical : user;

    /// <param name="login">As it was when it was proven.</param>
    /// <param name="credential">
    /// What proved it; null where a store, a certificate, a ticket or a token did, and any enabled account will do.
    /// </param>
    public LoginAuthority AuthorityOf(StoredLogin login, StoredCredential? credential) =>
        new(Stores, Replacement, Clock, login, credential);

    /// <summary>The user has logged in from there before; then its password is hashed before others.</summary>
    public bool Knows(string user, string? peer) => Protection?.IsKnown(user, peer) is true;

    /// <summary>The newest credential with <paramref name="form"/> that has not expired; a challenge can name only one.</summary>
    public StoredCredential? NewestOf(StoredLogin login, StoredForms form, Func<PasswordHash, bool>? fits = null)
    {
        var now = Clock.GetUtcNow();
        for (var i = login.Credentials.Length - 1; i >= 0; i--)
        {
            var (_, hash, expires) = login.Credentials[i];
            if (hash.Forms.HasFlag(form) && !(expires <= now) && (fits is null || fits(hash)))
                return login.Credentials[i];
        }

        return null;
    }
}
