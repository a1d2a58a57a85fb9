using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// Whether a login still holds. The stores are asked as at the login: what has not changed comes from memory, as the object that it was.
/// </summary>
/// <param name="login">As it was when it was proven.</param>
/// <param name="credential">What proved it; null where any enabled account will do.</param>
/// <param name="origin">Where it came from.</param>
internal sealed class LoginAuthority(
    StoreChain stores,
    FormReplacement? replacement,
    TimeProvider clock,
    StoredLogin login,
    StoredCredential? credential,
    LoginOrigin origin) : ILoginAuthority
{
    private volatile Basis seen = new(login, credential);

    public async ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct)
    {
        var found = await stores.Newest.FindAsync(seen.Login.User, ct);
        return found.Answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: var now } => Review(now),
            LoginAnswer.NoMatch => new LoginAnswer.NoMatch($"account {seen.Login.User} does not exist any more", UserExists: true),
            _ => found.Answer,
        };
    }

    private LoginAnswer Review(StoredLogin now)
    {
        var (before, proof) = seen;
        if (!ReferenceEquals(now, before))
        {
            if (proof is null ? now.IsDisabled : now.Refusal is not null)
                return new LoginAnswer.NoMatch($"account {now.User}: {now.Refusal}", UserExists: true);
            if (proof is not null && !TryFind(now, proof, out proof))
                return new LoginAnswer.NoMatch(
                    $"credential {seen.Credential!.Said} of account {now.User} is there no more", UserExists: true);
            if (proof is not null && proof.Limits.WhyNot(origin) is { } objection)
                return new LoginAnswer.NoMatch($"credential {proof.Said} of account {now.User} {objection}", UserExists: true);
            seen = new Basis(now, proof);
        }

        return proof?.ExpiresAt <= clock.GetUtcNow()
            ? new LoginAnswer.NoMatch($"credential {proof.Said} of account {now.User} expired at {proof.ExpiresAt:u}", UserExists: true)
            : LoginAnswer.Holds.Instance;
    }

    /// <summary>
    /// By what is stored, and not by its label: another secret may have taken that. The same password in a better form is the same.
    /// </summary>
    private bool TryFind(StoredLogin now, StoredCredential wanted, out StoredCredential? found)
    {
        foreach (var one in now.Credentials)
        {
            if (string.Equals(one.Hash.Stored, wanted.Hash.Stored, StringComparison.Ordinal)
                || replacement?.IsSame(now.User, wanted.Hash.Stored, one.Hash.Stored) is true)
            {
                found = one;
                return true;
            }
        }

        found = null;
        return false;
    }

    private sealed record Basis(StoredLogin Login, StoredCredential? Credential);
}
