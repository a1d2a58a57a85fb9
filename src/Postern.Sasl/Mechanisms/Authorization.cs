using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// The end that all mechanisms share: an authenticated user, perhaps another identity it wants to act as, and one answer (RFC 4422 §3.4.1).
/// </summary>
internal static class Authorization
{
    /// <param name="claimed">What the client called itself; null when it did not.</param>
    public static async ValueTask<SaslStep> DecideAsync(
        SaslContext context, LoginAnswer? check, string? claimed, string actAs, CancellationToken ct) => check switch
    {
        LoginAnswer.Match match => (await DecideAsync(context, match.User, actAs, ct)).With(match),
        _ => SaslStep.Failure.Of(check, claimed),
    };

    /// <summary>The end of a proof that was judged right, with what the store keeps of its user.</summary>
    public static async ValueTask<SaslStep> DecideAsync<T>(
        SaslContext context, LoginAnswer.Found<T> proven, string actAs, CancellationToken ct, ReadOnlyMemory<byte>? data = null)
        where T : class =>
        await DecideAsync(context, proven.User, actAs, ct, data, proven.Authority, proven.LoginData) switch
        {
            SaslStep.Success success => success with { Credential = proven.Credential },
            var step => step,
        };

    /// <param name="authority">Of the proof; a grant that was needed adds its own.</param>
    /// <param name="loginData">Likewise; a grant that brings something to be kept with the login stands in its place.</param>
    public static async ValueTask<SaslStep> DecideAsync(
        SaslContext context,
        string user,
        string actAs,
        CancellationToken ct,
        ReadOnlyMemory<byte>? data = null,
        ILoginAuthority? authority = null,
        object? loginData = null)
    {
        if (actAs.Length == 0 || string.Equals(actAs, user, StringComparison.Ordinal))
            return new SaslStep.Success(new SaslIdentity(user, user), data) { Authority = authority, LoginData = loginData };
        return context.Grants is null
            ? Refuse(user, "nobody may act as another here")
            : await context.Grants.ActAsAsync(user, actAs, ct) switch
        {
            LoginAnswer.Match(var granted) grant =>
                new SaslStep.Success(new SaslIdentity(user, granted), data)
                {
                    Authority = BothAuthorities.Of(authority, grant.Authority),
                    LoginData = grant.LoginData ?? loginData,
                },
            { WhyOpen: not null } open => SaslStep.Failure.Of(open, user),
            LoginAnswer.NoMatch(var reason, _) => Refuse(user, reason),
            _ => Refuse(user, "no answer to the question whether it may"),
        };
    }

    /// <summary>Why a proof that was judged logs nobody in; null where it does.</summary>
    /// <param name="kept">What the store has of the user.</param>
    /// <typeparam name="T">The kind of secret that was asked for.</typeparam>
    public static async ValueTask<SaslStep.Failure?> WhyNotAsync<T>(LoginAnswer? kept, bool isProven, string user, CancellationToken ct)
        where T : class
    {
        if (isProven && kept is LoginAnswer.Found<T> { Refusal: null } right)
            return right.InPlaceOfYes is { } use && await use(ct) is { } objection ? SaslStep.Failure.Of(objection, user) : null;
        if (kept?.InPlaceOfNo is { } ask && await ask(ct) is { } other)
            return SaslStep.Failure.Of(other, user);
        return kept switch
        {
            LoginAnswer.Found<T> when !isProven => new(SaslError.BadCredentials, user, "wrong password", UserExists: true),
            LoginAnswer.Found<T> { Refusal: { } refusal, Credential: var credential } =>
                new(SaslError.BadCredentials, user, refusal, UserExists: true) { Credential = credential },
            _ => SaslStep.Failure.Of(kept, user),
        };
    }

    private static SaslStep.Failure Refuse(string user, string reason) =>
        new(
            SaslError.BadCredentials,
            user,
            $"the user proved itself, but may not act as the authorization identity it asked for: {reason}",
            UserExists: true);
}
