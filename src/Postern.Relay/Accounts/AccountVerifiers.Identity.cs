using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>Users whom a token, a ticket or a certificate has already proven: the stores only say whether there is such an account, and whether it may log in.</content>
public sealed partial class AccountVerifiers
{
    /// <summary>Looks up <paramref name="user"/>, in any spelling. An account that has no credential is good enough here; a disabled one is not.</summary>
    public async ValueTask<LoginAnswer> IdentifyAsync(string user, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new LoginAnswer.NoMatch("the user name is not one that an account can have", UserExists: false);
        var (store, answer) = await FindAsync(canonical, ct);
        return answer switch
        {
            StoreAnswer.Known({ IsDisabled: true, Refusal: var refusal }) => new LoginAnswer.NoMatch(refusal!, UserExists: true),
            StoreAnswer.Known(var login) => new LoginAnswer.Match(login.User) { Authority = AuthorityOf(login, credential: null) },
            StoreAnswer.Unknown => new LoginAnswer.NoMatch(UnknownUser, UserExists: false),
            StoreAnswer.Unavailable(var reason) => new LoginAnswer.Unavailable(Said(store, reason)),
            _ => new LoginAnswer.Unavailable("no account store is configured"),
        };
    }
}
