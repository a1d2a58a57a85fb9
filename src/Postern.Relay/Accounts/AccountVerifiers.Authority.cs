using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>Whether a login still holds. The stores are asked as at the login: what has not changed comes from memory, as the object that it was.</content>
public sealed partial class AccountVerifiers
{
    /// <param name="login">As it was when it was proven.</param>
    /// <param name="credential">What proved it; null where a certificate, a ticket or a token did, and any enabled account will do.</param>
    private LoginAuthority AuthorityOf(StoredLogin login, StoredCredential? credential) => new(this, login, credential, clock);

    private sealed class LoginAuthority(AccountVerifiers accounts, StoredLogin login, StoredCredential? credential, TimeProvider clock) : ILoginAuthority
    {
        private volatile Basis seen = new(login, credential);

        public async ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct)
        {
            var (store, answer) = await accounts.FindAsync(seen.Login.User, ct);
            return answer switch
            {
                StoreAnswer.Known(var now) => Review(now),
                StoreAnswer.Unknown => new LoginAnswer.NoMatch($"account {seen.Login.User} does not exist any more"),
                StoreAnswer.Unavailable(var reason) => new LoginAnswer.Unavailable(Said(store, reason)),
                _ => new LoginAnswer.Unavailable("no account store is configured"),
            };
        }

        private LoginAnswer Review(StoredLogin now)
        {
            var (before, proof) = seen;
            if (!ReferenceEquals(now, before))
            {
                if (proof is null ? now.IsDisabled : now.Refusal is not null)
                    return new LoginAnswer.NoMatch($"account {now.User}: {now.Refusal}");
                if (proof is not null && !TryFind(now, proof, out proof))
                    return new LoginAnswer.NoMatch($"credential {seen.Credential!.Name} of account {now.User} is there no more");
                seen = new Basis(now, proof);
            }

            return proof?.ExpiresAt <= clock.GetUtcNow()
                ? new LoginAnswer.NoMatch($"credential {proof.Name} of account {now.User} expired at {proof.ExpiresAt:u}")
                : LoginAnswer.Holds.Instance;
        }

        /// <summary>By what is stored, and not by its label: another secret may have taken that. The same password in a better form is the same.</summary>
        private bool TryFind(StoredLogin login, StoredCredential wanted, out StoredCredential? found)
        {
            foreach (var one in login.Credentials)
            {
                if (string.Equals(one.Hash.Stored, wanted.Hash.Stored, StringComparison.Ordinal) || accounts.Replacement?.IsSame(login.User, wanted.Hash.Stored, one.Hash.Stored) is true)
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

    /// <summary>The right of <paramref name="user"/> to act as another; <paramref name="other"/> says whether that one is still there.</summary>
    private sealed class GrantAuthority(AccountVerifiers accounts, string user, string actsAs, ILoginAuthority? other) : ILoginAuthority
    {
        public async ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct)
        {
            try
            {
                if (accounts.Directory is null || (await accounts.Directory.FindAccountAsync(user, ct))?.ActsAs.Contains(actsAs, StringComparer.Ordinal) is not true)
                    return new LoginAnswer.NoMatch($"account {user} has no grant any more to act as {actsAs}");
            }
            catch (DirectoryUnavailableException e)
            {
                return new LoginAnswer.Unavailable(e.Message);
            }

            return other is null ? LoginAnswer.Holds.Instance : await other.ReviewAsync(ct);
        }
    }
}
