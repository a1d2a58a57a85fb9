using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// What is written down of the authentication service: every attempt like one at a listener for mail, and the protocol that it was for. A
/// user name that no store knows is masked: people type passwords there.
/// </summary>
internal sealed class AuthEvents(IAuditLog audit, TimeProvider clock)
{
    public void Succeeded(AuthAttempt attempt, SaslStep.Success success)
    {
        var (user, actsAs) = success.Identity;
        audit.Append(new LoginEvent(
            clock.GetUtcNow(),
            OriginOf(attempt) with { User = user, Tenant = (success.LoginData as LoginFacts)?.Tenant },
            attempt.Mechanism,
            AuthOutcome.Ok,
            "ok")
        {
            ActingAs = actsAs == user ? null : actsAs,
            Service = attempt.Request.Service,
            Cause = CauseOf(attempt, AuthOutcome.Ok, user, user),
        });
    }

    public void Failed(AuthAttempt attempt, SaslStep.Failure failure) =>
        Failed(attempt, failure.Error, failure.Reason, failure.ClaimedUser, failure.UserExists);

    /// <param name="error">Null for an attempt that was given up.</param>
    public void Failed(AuthAttempt attempt, SaslError? error, string reason, string? claimed = null, bool userExists = false)
    {
        var outcome = LoginEvent.OutcomeOf(error);
        var known = userExists && claimed is not null && LoginNames.TryCanonical(claimed, out var name) ? name : null;
        audit.Append(new LoginEvent(
            clock.GetUtcNow(),
            OriginOf(attempt) with { User = claimed is null || userExists ? claimed : LoginNames.Mask(claimed) },
            attempt.Mechanism,
            outcome,
            reason)
        {
            Service = attempt.Request.Service,
            Cause = CauseOf(attempt, outcome, login: null, known),
        });
    }

    /// <summary>An asking server was turned away, or does not speak the protocol.</summary>
    /// <param name="asker">Its address; null where it came by a Unix socket.</param>
    public void Trouble(string word, string listener, IPAddress? asker, string detail) =>
        audit.Append(new ServerEvent(clock.GetUtcNow(), word, $"{listener}: {asker?.ToString() ?? "by its socket"}: {detail}")
        {
            Cause = new AuditCause(AuditKind.Server, asker ?? IPAddress.None, Login: null, word),
        });

    /// <summary>A listener cannot accept for the moment, or stopped for good.</summary>
    public void ListenerTrouble(string listener, string reason) =>
        audit.Append(new ServerEvent(clock.GetUtcNow(), "listener_trouble", $"{listener}: {reason}"));

    private static EventOrigin OriginOf(AuthAttempt attempt) =>
        new(attempt.Session, attempt.Listener, attempt.Client?.ToString() ?? "-") { Tls = attempt.Request.TlsVersion };

    private static AuditCause CauseOf(AuthAttempt attempt, AuthOutcome outcome, string? login, string? user) =>
        new(AuditKind.Auth, attempt.Client ?? IPAddress.None, login, EventWord.Of(outcome), user);
}

/// <summary>One attempt to log in through another server.</summary>
/// <param name="Session">Its own in the log.</param>
/// <param name="Asker">The asking server's address; null where it came by a Unix socket.</param>
internal sealed record AuthAttempt(string Listener, string Session, IPAddress? Asker, AuthRequest Request)
{
    public string Mechanism => Request.Mechanism;

    /// <summary>The asking server's client, or else the asking server; null where neither has an address.</summary>
    public IPAddress? Client => Request.Client ?? Asker;
}
