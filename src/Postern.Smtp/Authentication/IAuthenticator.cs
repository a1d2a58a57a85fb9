using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Session;

namespace Postern.Smtp.Authentication;

/// <summary>
/// Decides logins by what the client revealed, in the place of the verifiers in <see cref="Postern.Sasl.SaslContext"/>: it also hears which
/// session asks and by which mechanism.
/// </summary>
public interface IAuthenticator
{
    /// <summary>What it can decide; mechanisms that reveal anything else are not offered on its behalf. It never changes.</summary>
    CredentialKinds Answers => CredentialKinds.Passwords;

    /// <summary>
    /// Decides one login. An exception counts as <see cref="AuthenticationResult.Unavailable"/>, and only its type reaches the log. An
    /// unknown user must cost the time of a wrong password. On whose behalf the user may act is asked afterwards, of
    /// <see cref="Postern.Sasl.SaslContext.Grants"/>.
    /// </summary>
    /// <param name="mechanism">Its registered name, such as <c>PLAIN</c>.</param>
    /// <param name="credentials">Valid until the task completes.</param>
    ValueTask<AuthenticationResult> AuthenticateAsync(
        SessionState session, string mechanism, LoginCredentials credentials, CancellationToken ct);
}

/// <summary>What an authenticator can decide.</summary>
[Flags]
public enum CredentialKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A user and a password (PLAIN, LOGIN).</summary>
    Passwords = 1,

    /// <summary>A bearer token (OAUTHBEARER, XOAUTH2).</summary>
    BearerTokens = 2,
}

/// <summary>What a client revealed to prove who it is. No secret in it is ever printed.</summary>
public abstract record LoginCredentials
{
    private LoginCredentials()
    {
    }

    /// <summary>A password for <paramref name="User"/>, which is as the client wrote it, SASLprepared (RFC 4013).</summary>
    public sealed record UserPassword(string User, Password Password) : LoginCredentials;

    /// <summary>
    /// A bearer token (RFC 6750). The result must say whose it is; another user that the client claims to be is then refused.
    /// </summary>
    public sealed record BearerToken(Secret Token) : LoginCredentials;
}

/// <summary>An authenticator made of a function.</summary>
internal sealed class FunctionAuthenticator(
    Func<SessionState, string, LoginCredentials, CancellationToken, ValueTask<AuthenticationResult>> decide,
    CredentialKinds answers) : IAuthenticator
{
    public CredentialKinds Answers => answers;

    public ValueTask<AuthenticationResult> AuthenticateAsync(
        SessionState session, string mechanism, LoginCredentials credentials, CancellationToken ct) =>
        decide(session, mechanism, credentials, ct);
}
