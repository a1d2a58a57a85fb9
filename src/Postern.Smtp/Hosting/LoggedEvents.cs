using System.Net;
using Microsoft.Extensions.Logging;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Overload;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Hosting;

/// <summary>Writes what happens to the host's log, then hands it on.</summary>
internal sealed partial class LoggedEvents(ILogger logger, ISmtpEvents next) : ISmtpEvents
{
    public void OnConnected(SessionState session)
    {
        Connected(session.Id, session.Listener, session.ClientAddress);
        next.OnConnected(session);
    }

    public void OnTurnedAway(string listener, IPAddress client, TurnAwayCause cause, string reason)
    {
        TurnedAway(listener, client, reason);
        next.OnTurnedAway(listener, client, cause, reason);
    }

    public void OnCommand(SessionState session, string verb)
    {
        Command(session.Id, verb);
        next.OnCommand(session, verb);
    }

    public void OnTlsStarted(SessionState session)
    {
        TlsStarted(session.Id, session.Tls!.Version, session.Tls.Cipher);
        next.OnTlsStarted(session);
    }

    public void OnTlsFailed(SessionState session, string reason)
    {
        TlsFailed(session.Id, session.ClientAddress, reason);
        next.OnTlsFailed(session, reason);
    }

    public void OnLogin(SessionState session, LoginAttempt attempt)
    {
        LogIn(session, attempt);
        next.OnLogin(session, attempt);
    }

    public void OnLoginReviewed(SessionState session, LoginAnswer review)
    {
        if (review is LoginAnswer.NoMatch(var reason, _))
            LoginGone(session.Id, session.ClientAddress, session.Login, reason);
        else if (review.WhyOpen is { } trouble)
            LoginUnsure(session.Id, session.ClientAddress, session.Login, trouble);
        next.OnLoginReviewed(session, review);
    }

    public void OnSender(SessionState session, Transaction transaction)
    {
        Sender(session.Id, transaction.Sender);
        next.OnSender(session, transaction);
    }

    public void OnRecipient(SessionState session, Transaction transaction, Mailbox recipient)
    {
        Recipient(session.Id, recipient);
        next.OnRecipient(session, transaction, recipient);
    }

    public void OnReset(SessionState session)
    {
        Reset(session.Id);
        next.OnReset(session);
    }

    public void OnProxyRefused(string listener, IPAddress balancer, string reason)
    {
        ProxyRefused(listener, balancer, reason);
        next.OnProxyRefused(listener, balancer, reason);
    }

    public void OnClientNamed(SessionState session, IPAddress was)
    {
        ClientNamed(session.Id, was, session.ClientAddress);
        next.OnClientNamed(session, was);
    }

    public void OnQueueStart(SessionState session, QueueName queue, QueueStart answer)
    {
        QueueStart(session.Id, session.ClientAddress, queue, answer);
        next.OnQueueStart(session, queue, answer);
    }

    public void OnRefused(SessionState session, string verb, Reply reply)
    {
        Refused(session.Id, session.ClientAddress, verb, reply);
        next.OnRefused(session, verb, reply);
    }

    public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome)
    {
        LogReceived(session, transaction, octets, outcome);
        next.OnReceived(session, transaction, octets, outcome);
    }

    public void OnListenerTrouble(string listener, string reason)
    {
        ListenerTrouble(listener, reason);
        next.OnListenerTrouble(listener, reason);
    }

    public void OnLoadChanged(LoadState state, string gauge, double value)
    {
        LoadChanged(state, gauge, value);
        next.OnLoadChanged(state, gauge, value);
    }

    public void OnGaugeFault(string gauge, Exception fault)
    {
        GaugeFault(fault, gauge);
        next.OnGaugeFault(gauge, fault);
    }

    public void OnClosed(SessionState session, string reason)
    {
        Closed(session.Id, reason);
        next.OnClosed(session, reason);
    }

    public void OnFault(SessionState session, Exception fault)
    {
        Fault(fault, session.Id);
        next.OnFault(session, fault);
    }

    private void LogIn(SessionState session, LoginAttempt attempt)
    {
        if (session.Login is { } login)
            LoggedIn(session.Id, session.ClientAddress, attempt.Mechanism, login);
        else if (attempt.Identity is not null)
            CameAnonymously(session.Id, session.ClientAddress, attempt.Mechanism);
        else
            LoginFailed(session.Id, session.ClientAddress, attempt.Mechanism, Masked(attempt), attempt.Reason);
    }

    private void LogReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome)
    {
        if (outcome is StoreOutcome.Stored(var id))
            Stored(session.Id, id, octets, transaction.Sender, transaction.Recipients.Count, session.Login);
    }

    /// <summary>People type passwords where the user name belongs: one that nobody is known to have is not written down.</summary>
    private static string Masked(LoginAttempt attempt) => attempt is { UserExists: true, ClaimedUser: { } user } ? user : "***";
}
