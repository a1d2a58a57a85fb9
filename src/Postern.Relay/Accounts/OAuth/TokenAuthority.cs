using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>A login by a token: it ends with the token, whatever becomes of the account.</summary>
/// <param name="expires">By the issuer's word; the leeway for its clock is granted as at the login.</param>
/// <param name="account">Whether the account may still log in.</param>
internal sealed class TokenAuthority(DateTimeOffset expires, TimeSpan leeway, ILoginAuthority? account, TimeProvider clock)
    : ILoginAuthority
{
    public ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) =>
        clock.GetUtcNow() - leeway >= expires ? new(new LoginAnswer.NoMatch($"the token expired at {expires:u}"))
        : account is null ? new(LoginAnswer.Holds.Instance)
        : account.ReviewAsync(ct);
}
