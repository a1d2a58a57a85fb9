using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Session;

namespace Postern.Smtp.Authentication;

/// <summary>An authenticator as the verifiers that mechanisms know, for one exchange: only there it is known who asks, and how.</summary>
internal sealed class AuthenticatorVerifier(IAuthenticator authenticator, SessionState session, string mechanism)
    : IPasswordVerifier, ITokenVerifier
{
    private const string TooWeak = "the mechanism is too weak for this user";
    private const string TransitionNeeded = "the user has to log in by another mechanism first";

    public async ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct) =>
        await AskAsync(new LoginCredentials.UserPassword(user, new Password(password)), ct) switch
        {
            AuthenticationResult.Accepted accepted =>
                new LoginAnswer.Match(accepted.User ?? user)
                {
                    Text = accepted.Text,
                    LoginData = accepted.LoginData,
                    Authority = accepted.Authority,
                },
            AuthenticationResult.Refused refused => new LoginAnswer.NoMatch(refused.Reason, refused.UserExists) { Text = refused.Text },
            AuthenticationResult.TooWeak weak => new LoginAnswer.Refused(SaslError.TooWeak, TooWeak) { Text = weak.Text },
            AuthenticationResult.TransitionNeeded early =>
                new LoginAnswer.Refused(SaslError.TransitionNeeded, TransitionNeeded) { Text = early.Text },
            var other => new LoginAnswer.Unavailable(WhyNot(other)) { Text = other.Text },
        };

    public async ValueTask<LoginAnswer> CheckTokenAsync(string token, string? peer, CancellationToken ct) =>
        await AskAsync(new LoginCredentials.BearerToken(new Secret(token)), ct) switch
        {
            AuthenticationResult.Accepted { User: { } user } accepted =>
                new LoginAnswer.Match(user) { Text = accepted.Text, LoginData = accepted.LoginData, Authority = accepted.Authority },
            AuthenticationResult.Accepted => new LoginAnswer.Unavailable("the authenticator accepted a token and did not say whose it is"),
            AuthenticationResult.Refused refused =>
                new LoginAnswer.NoMatch(refused.Reason, UserExists: refused.UserExists) { Text = refused.Text },
            AuthenticationResult.TooWeak weak => new LoginAnswer.Refused(SaslError.TooWeak, TooWeak) { Text = weak.Text },
            AuthenticationResult.TransitionNeeded early =>
                new LoginAnswer.Refused(SaslError.TransitionNeeded, TransitionNeeded) { Text = early.Text },
            var other => new LoginAnswer.Unavailable(WhyNot(other)) { Text = other.Text },
        };

    private async ValueTask<AuthenticationResult> AskAsync(LoginCredentials credentials, CancellationToken ct)
    {
        try
        {
            return await authenticator.AuthenticateAsync(session, mechanism, credentials, ct)
                ?? new AuthenticationResult.Unavailable { Reason = "the authenticator gave no answer" };
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return new AuthenticationResult.Unavailable { Reason = $"the authenticator threw {e.GetType().Name}" };
        }
    }

    private static string WhyNot(AuthenticationResult other) =>
        other is AuthenticationResult.Unavailable { Reason: var reason } ? reason : "the authenticator gave no answer";
}
