using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// Who may act as whom: itself in any spelling, and every account that it was granted, as long as that exists and is not disabled.
/// </summary>
/// <param name="accounts">Null where there are no grants.</param>
internal sealed class AccountGrants(IDirectory? accounts, ProvenUsers users) : IAuthorizationGrants
{
    public async ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(authorizationId, out var canonical))
            return new LoginAnswer.NoMatch("it is not a name that an account can have");
        if (string.Equals(canonical, user, StringComparison.Ordinal))
            return new LoginAnswer.Match(user);
        return await FindAsync(user, canonical, "has no grant for it", ct) is { } no ? no : await users.IdentifyAsync(canonical, ct) switch
        {
            LoginAnswer.Match match => match with { Authority = new GrantAuthority(this, user, canonical, match.Authority) },
            var other => other,
        };
    }

    /// <summary>Why <paramref name="user"/> may not act as the other; null where it may.</summary>
    private async ValueTask<LoginAnswer?> FindAsync(string user, string actsAs, string objection, CancellationToken ct)
    {
        try
        {
            return accounts is not null
                && (await accounts.FindAccountAsync(user, ct))?.ActsAs.Contains(actsAs, StringComparer.Ordinal) is true
                ? null
                : new LoginAnswer.NoMatch($"account {user} {objection}", UserExists: true);
        }
        catch (DirectoryUnavailableException e)
        {
            return new LoginAnswer.Unavailable(e.Message);
        }
    }

    /// <summary>
    /// The right of <paramref name="user"/> to act as another; <paramref name="other"/> says whether that one is still there.
    /// </summary>
    private sealed class GrantAuthority(AccountGrants grants, string user, string actsAs, ILoginAuthority? other) : ILoginAuthority
    {
        public async ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) =>
            await grants.FindAsync(user, actsAs, $"has no grant any more to act as {actsAs}", ct)
            ?? (other is null ? LoginAnswer.Holds.Instance : await other.ReviewAsync(ct));
    }
}
