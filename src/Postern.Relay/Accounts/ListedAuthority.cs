using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// A login by something that the configuration lists, such as an issuer of tokens: it ends when that is listed no more, and with the
/// account.
/// </summary>
/// <param name="whyNot">What stands against it by the configuration of now, for the audit trail; null for nothing.</param>
/// <param name="account">Whether the account may still log in.</param>
internal sealed class ListedAuthority(Func<string?> whyNot, ILoginAuthority? account) : ILoginAuthority
{
    public ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) =>
        whyNot() is { } gone ? new(new LoginAnswer.NoMatch(gone, UserExists: true))
        : account is null ? new(LoginAnswer.Holds.Instance)
        : account.ReviewAsync(ct);
}
