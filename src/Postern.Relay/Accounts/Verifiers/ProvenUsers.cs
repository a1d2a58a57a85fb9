using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>
/// Users whom a token, a ticket or a certificate has already proven: the stores only say whether there is such an account, and whether it
/// may log in.
/// </summary>
internal sealed class ProvenUsers(LoginParts parts)
{
    /// <summary>
    /// Looks up <paramref name="user"/>, in any spelling. An account that has no credential is good enough here; a disabled one is not.
    /// </summary>
    public async ValueTask<LoginAnswer> IdentifyAsync(string user, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new LoginAnswer.NoMatch(LoginParts.NoName);
        var found = await parts.Stores.FindAsync(canonical, ct);
        return found.Answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: { IsDisabled: true, Refusal: var refusal } } =>
                new LoginAnswer.NoMatch(refusal!, UserExists: true),
            LoginAnswer.Found<StoredLogin> { Stored.IsPresumed: true } =>
                new LoginAnswer.NoMatch($"{found.Store!.Name} knows nobody before his password is right"),
            LoginAnswer.Found<StoredLogin> { Stored: var login } =>
                new LoginAnswer.Match(login.User)
                {
                    Authority = parts.AuthorityOf(login, credential: null),
                    LoginData = LoginFacts.Of(found.Tenant, found.Aside),
                },
            LoginAnswer.NoMatch => new LoginAnswer.NoMatch(LoginParts.UnknownUser),
            _ => found.Answer,
        };
    }
}
