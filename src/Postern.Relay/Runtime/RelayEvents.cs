using System.Globalization;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Counters;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Overload;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// Turns what the SMTP server tells into audit events. A user name that no store knows is masked: people type passwords there.
/// </summary>
/// <param name="windows">Where sessions are counted; null: nowhere.</param>
internal sealed class RelayEvents(IAuditLog audit, TimeProvider clock, IWindowCounters? windows = null) : ISmtpEvents
{
    private static readonly CounterKey AllConnections = new("connections", "all");

    private readonly LimitNews limits = new(audit, clock);

    public void OnLogin(SessionState session, LoginAttempt attempt)
    {
        var claimed = attempt.ClaimedUser is { } user && !attempt.UserExists ? LoginNames.Mask(user) : attempt.ClaimedUser;
        var reason = attempt.Identity is not null && LoginFacts.AsideOf(session) is { } aside
            ? $"{attempt.Reason}, {aside}"
            : attempt.Reason;
        audit.Append(new LoginEvent(
            clock.GetUtcNow(), OriginOf(session) with { User = claimed }, attempt.Mechanism, Outcome(session, attempt), reason)
        {
            ActingAs = session.Login is { } login && login != attempt.ClaimedUser ? login : null,
            Credential = attempt.Credential,
            Cause = CauseOf(session, attempt),
        });
    }

    public void OnLoginReviewed(SessionState session, LoginAnswer review)
    {
        var who = session.Login == session.LoginProvenBy ? session.Login : $"{session.LoginProvenBy} as {session.Login}";
        if (review is LoginAnswer.NoMatch(var reason, _))
            Tell(session, "login_gone", $"session {session.Id}: {session.ClientAddress}: {who}: {reason}");
        else if (review.WhyOpen is { } trouble)
            Tell(session, "login_unsure", $"session {session.Id}: {session.ClientAddress}: {who}: {trouble}");
    }

    public void OnTurnedAway(string listener, IPAddress client, TurnAwayCause cause, string reason)
    {
        Tell(client, "turned_away", $"{listener}: {client}: {reason}");
        if (cause == TurnAwayCause.TooMany)
            limits.Tell(AllConnections, LimitState.Exceeded, (listener, client, clock), static about => Exceeded(about, AllConnections));
        else if (cause == TurnAwayCause.TooManyFromAddress)
            limits.Tell(
                PerAddress(client),
                LimitState.Exceeded,
                (listener, client, clock),
                static about => Exceeded(about, PerAddress(about.client)));
    }

    public void OnProxyRefused(string listener, IPAddress balancer, string reason) =>
        Tell(balancer, "proxy_refused", $"{listener}: {balancer}: {reason}");

    public void OnClientNamed(SessionState session, IPAddress was) =>
        Tell(
            session,
            "xclient",
            $"{session.Listener}: session {session.Id}: {session.XClientPeer} made {was} into {session.ClientAddress}: {session.XClient}");

    public void OnQueueStart(SessionState session, QueueName queue, QueueStart answer) =>
        Tell(session, "etrn", $"{session.Listener}: {session.ClientAddress}: {queue}: {answer}");

    public void OnTlsFailed(SessionState session, string reason) =>
        Tell(session, "tls_failed", $"{session.Listener}: {session.ClientAddress}: {reason}");

    public void OnListenerTrouble(string listener, string reason) => Tell("listener_trouble", $"{listener}: {reason}");

    public void OnFault(SessionState session, Exception fault) =>
        Tell(session, "fault", $"session {session.Id}: {fault.GetType().Name}: {fault.Message}");

    public void OnLoadChanged(LoadState state, string gauge, double value) =>
        Tell("load_changed", string.Create(CultureInfo.InvariantCulture, $"{LoadWord.Of(state)}: {gauge} at {value:0.00}"));

    public void OnGaugeFault(string gauge, Exception fault) => Tell("gauge_fault", $"{gauge}: {fault.GetType().Name}: {fault.Message}");

    public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome)
    {
        if (outcome is StoreOutcome.Refused(var reply))
            Refused(session, "DATA", reply);
    }

    public void OnClosed(SessionState session, string reason) => windows?.Release(session.Id);

    /// <summary>Where the session's events happen, and what is known of its client by now.</summary>
    public static EventOrigin OriginOf(SessionState session) => new(session.Id, session.Listener, session.ClientAddress.ToString())
    {
        Helo = session.HeloName,
        User = session.Login,
        Tls = session.Tls?.Version,
        Cipher = session.Tls?.Cipher,
        Sni = session.Tls?.ServerName,
        Tenant = LoginFacts.TenantOf(session),
        Port = session.ClientPort > 0 ? session.ClientPort : null,
    };

    private static AuthOutcome Outcome(SessionState session, LoginAttempt attempt) => attempt switch
    {
        { Identity: not null } => session.IsLoggedIn ? AuthOutcome.Ok : AuthOutcome.Anonymous,
        _ => LoginEvent.OutcomeOf(attempt.Error),
    };

    /// <summary>A user that exists is a thing of its own: an attack upon others does not hide what happens to it.</summary>
    private static AuditCause CauseOf(SessionState session, LoginAttempt attempt) => new(
        AuditKind.Auth,
        session.ClientAddress,
        attempt.Identity is { } identity && session.IsLoggedIn ? identity.AuthenticationId : null,
        EventWord.Of(Outcome(session, attempt)),
        attempt is { UserExists: true, ClaimedUser: { } claimed } && LoginNames.TryCanonical(claimed, out var name) ? name : null);

    /// <summary>Whoever has one IPv6 address has its whole /64.</summary>
    private static CounterKey PerAddress(IPAddress client) =>
        new("connections_per_address", LoginPlace.Text(LoginPlace.Of(client).Address));

    private static LimitEvent Exceeded((string Listener, IPAddress Client, TimeProvider Clock) about, CounterKey key) =>
        new(about.Clock.GetUtcNow(), key.What, LimitState.Exceeded, key.Whose)
        {
            Listener = about.Listener,
            Client = about.Client.ToString(),
            Cause = new AuditCause(AuditKind.Server, about.Client, Login: null, "limit", key.What),
        };

    private void Refused(SessionState session, string verb, Reply reply) =>
        audit.Append(new RefusedEvent(clock.GetUtcNow(), OriginOf(session), verb, reply.ToString())
        {
            Cause = new AuditCause(AuditKind.Mail, session.ClientAddress, session.Login, "refused", verb, reply.Code),
        });

    private void Tell(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));

    private void Tell(SessionState session, string what, string detail) =>
        Tell(new AuditCause(AuditKind.Server, session.ClientAddress, session.Login, what), detail);

    private void Tell(IPAddress client, string what, string detail) =>
        Tell(new AuditCause(AuditKind.Server, client, Login: null, what), detail);

    private void Tell(AuditCause cause, string detail) =>
        audit.Append(new ServerEvent(clock.GetUtcNow(), cause.Word, detail) { Cause = cause });
}
