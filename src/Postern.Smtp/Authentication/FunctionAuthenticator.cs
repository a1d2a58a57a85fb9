using Postern.Smtp.Session;

namespace Postern.Smtp.Authentication;

/// <summary>An authenticator made of a function.</summary>
internal sealed class FunctionAuthenticator(
    Func<SessionState, string, LoginCredentials, CancellationToken, ValueTask<AuthenticationResult>> decide, CredentialKinds answers) : IAuthenticator
{
    public CredentialKinds Answers => answers;

    public ValueTask<AuthenticationResult> AuthenticateAsync(SessionState session, string mechanism, LoginCredentials credentials, CancellationToken ct) =>
        decide(session, mechanism, credentials, ct);
}
