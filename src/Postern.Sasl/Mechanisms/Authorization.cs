using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>The end that all mechanisms share: an authenticated user, perhaps another identity it wants to act as, and one answer (RFC 4422 §3.4.1).</summary>
internal static class Authorization
{
    /// <param name="claimed">What the client called itself; null when it did not.</param>
    public static async ValueTask<SaslStep> DecideAsync(SaslContext context, PasswordCheck? check, string? claimed, string actAs, CancellationToken ct) => check switch
    {
        PasswordCheck.Match match => (await DecideAsync(context, match.User, actAs, ct)).With(match.Text, match.LoginData, match.Authority),
        PasswordCheck.NoMatch(var reason, var exists) => new SaslStep.Failure(SaslError.BadCredentials, claimed, reason, exists) { Text = check.Text },
        PasswordCheck.Refused(var error, var reason) => new SaslStep.Failure(error, claimed, reason, UserExists: true) { Text = check.Text },
        PasswordCheck.Unavailable(var reason) => new SaslStep.Failure(SaslError.TemporaryFailure, claimed, reason) { Text = check.Text },
        PasswordCheck.TooMany(var reason) => new SaslStep.Failure(SaslError.TooMany, claimed, reason) { Text = check.Text },
        _ => new SaslStep.Failure(SaslError.BadCredentials, claimed, "the store gave no answer"),
    };

    /// <param name="authority">Of the proof; a grant that was needed adds its own.</param>
    public static async ValueTask<SaslStep> DecideAsync(
        SaslContext context, string user, string actAs, CancellationToken ct, ReadOnlyMemory<byte>? data = null, ILoginAuthority? authority = null)
    {
        if (actAs.Length == 0 || string.Equals(actAs, user, StringComparison.Ordinal))
            return new SaslStep.Success(new SaslIdentity(user, user), data) { Authority = authority };
        return context.Grants is null ? Refuse(user, "nobody may act as another here") : await context.Grants.ActAsAsync(user, actAs, ct) switch
        {
            PasswordCheck.Match(var granted) grant => new SaslStep.Success(new SaslIdentity(user, granted), data) { Authority = BothAuthorities.Of(authority, grant.Authority) },
            PasswordCheck.Unavailable(var reason) => new SaslStep.Failure(SaslError.TemporaryFailure, user, reason),
            PasswordCheck.NoMatch(var reason, _) => Refuse(user, reason),
            _ => Refuse(user, "no answer to the question whether it may"),
        };
    }

    private static SaslStep.Failure Refuse(string user, string reason) =>
        new(SaslError.BadCredentials, user, $"the user proved itself, but may not act as the authorization identity it asked for: {reason}", UserExists: true);
}
