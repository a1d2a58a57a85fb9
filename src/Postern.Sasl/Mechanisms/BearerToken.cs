using System.Text;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>
/// The end that OAUTHBEARER and XOAUTH2 share: a token, whose it is, and where it is refused one more challenge that says why, before the
/// exchange fails (RFC 7628 §3.2.3).
/// </summary>
internal sealed class BearerToken(SaslContext context)
{
    private SaslStep.Failure? refusal;

    /// <summary>The client was told why; whatever it answers, the exchange is over.</summary>
    public bool IsRefused => refusal is not null;

    public SaslStep Refusal => refusal!;

    /// <param name="claimed">Who the client says it is; empty when it does not say.</param>
    /// <param name="isUser"><paramref name="claimed"/> is the user itself, not an identity to act as.</param>
    public async ValueTask<SaslStep> CheckAsync(string token, string claimed, bool isUser, CancellationToken ct)
    {
        if (token.Length == 0 || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return Refuse("the token is empty, or holds what no token can", claimed, exists: false, scope: null);
        var check = await context.Tokens!.CheckTokenAsync(token, claimed.Length > 0 ? claimed : null, context.Peer, ct);
        switch (check)
        {
            case LoginAnswer.Match(var user) match:
                var step = await Authorization.DecideAsync(context, user, claimed, ct);
                if (isUser && step is not SaslStep.Failure { Error: SaslError.TemporaryFailure } && !IsItself(step))
                    return Refuse("the token speaks for another user than the one named", user, exists: true, scope: null);
                return step is SaslStep.Failure { Error: SaslError.BadCredentials } failure
                    ? Refuse(failure.Reason, user, exists: true, scope: null)
                    : step.With(match);
            case LoginAnswer.NoMatch(var reason, var exists) no:
                return Refuse(reason, no.ClaimedUser ?? claimed, exists, no.Scope, check.Text);
            default:
                var failed = SaslStep.Failure.Of(check, claimed.Length > 0 ? claimed : null);
                return failed.Error == SaslError.BadCredentials
                    ? Refuse("the verifier gave no answer", claimed, exists: false, scope: null)
                    : failed;
        }
    }

    /// <summary>A name in another spelling is the user's; the name of another whom it may act as is not.</summary>
    private static bool IsItself(SaslStep step) =>
        step is SaslStep.Success { Identity: var (user, actsAs) } && string.Equals(user, actsAs, StringComparison.Ordinal);

    private SaslStep.Challenge Refuse(string reason, string claimed, bool exists, string? scope, OutcomeText? text = null)
    {
        refusal = new SaslStep.Failure(SaslError.BadCredentials, claimed.Length > 0 ? claimed : null, reason, exists) { Text = text };
        var needed = scope is null || scope.AsSpan().ContainsAnyExceptInRange(' ', '~') || scope.AsSpan().ContainsAny('"', '\\')
            ? string.Empty
            : $",\"scope\":\"{scope}\"";
        return new SaslStep.Challenge(Encoding.ASCII.GetBytes($$"""{"status":"invalid_token","schemes":"bearer"{{needed}}}"""))
        {
            Verdict = refusal,
        };
    }
}
