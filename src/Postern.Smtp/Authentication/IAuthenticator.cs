using Postern.Smtp.Session;

namespace Postern.Smtp.Authentication;

/// <summary>
/// Decides logins by what the client revealed, in the place of the verifiers in <see cref="Postern.Sasl.SaslContext"/>: it also hears which session
/// asks and by which mechanism.
/// </summary>
public interface IAuthenticator
{
    /// <summary>What it can decide; mechanisms that reveal anything else are not offered on its behalf. It never changes.</summary>
    CredentialKinds Answers => CredentialKinds.Passwords;

    /// <summary>
    /// Decides one login. An exception counts as <see cref="AuthenticationResult.Unavailable"/>, and only its type reaches the log. An unknown user
    /// must cost the time of a wrong password. On whose behalf the user may act is asked afterwards, of <see cref="Postern.Sasl.SaslContext.Grants"/>.
    /// </summary>
    /// <param name="mechanism">Its registered name, such as <c>PLAIN</c>.</param>
    /// <param name="credentials">Valid until the task completes.</param>
    ValueTask<AuthenticationResult> AuthenticateAsync(SessionState session, string mechanism, LoginCredentials credentials, CancellationToken ct);
}
