using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>Users whom a token, a ticket or a certificate has already proven: the stores only say whether there is such an account, and whether it may log in.</content>
public sealed partial class AccountVerifiers
{
    /// <summary>Looks up <paramref name="user"/>, in any spelling. An account that has no credential is good enough here; a disabled one is not.</summary>
    public async ValueTask<PasswordCheck> IdentifyAsync(string user, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new PasswordCheck.NoMatch("the user name is not one that an account can have", UserExists: false);
        var (store, answer) = await FindAsync(canonical, ct);
        return answer switch
        {
            StoreAnswer.Known({ IsDisabled: true, Refusal: var refusal }) => new PasswordCheck.NoMatch(refusal!, UserExists: true),
            StoreAnswer.Known(var login) => new PasswordCheck.Match(login.User) { Authority = AuthorityOf(login, credential: null) },
            StoreAnswer.Unknown => new PasswordCheck.NoMatch(UnknownUser, UserExists: false),
            StoreAnswer.Unavailable(var reason) => new PasswordCheck.Unavailable(Said(store, reason)),
            _ => new PasswordCheck.Unavailable("no account store is configured"),
        };
    }
}
