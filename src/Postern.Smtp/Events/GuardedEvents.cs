using System.Net;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Overload;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Events;

/// <summary>
/// Stands between the server and an embedder's events: what they throw is told to their own <see cref="ISmtpEvents.OnFault"/>, and neither
/// a message that the store has taken nor an accept loop is lost by it.
/// </summary>
internal sealed class GuardedEvents(ISmtpEvents inner) : ISmtpEvents
{
    public void OnConnected(SessionState session)
    {
        try
        {
            inner.OnConnected(session);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnTurnedAway(string listener, IPAddress client, TurnAwayCause cause, string reason)
    {
        try
        {
            inner.OnTurnedAway(listener, client, cause, reason);
        }
        catch (Exception e)
        {
            Trouble(listener, e);
        }
    }

    public void OnCommand(SessionState session, string verb)
    {
        try
        {
            inner.OnCommand(session, verb);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnTlsStarted(SessionState session)
    {
        try
        {
            inner.OnTlsStarted(session);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnTlsFailed(SessionState session, string reason)
    {
        try
        {
            inner.OnTlsFailed(session, reason);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnLogin(SessionState session, LoginAttempt attempt)
    {
        try
        {
            inner.OnLogin(session, attempt);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnLoginReviewed(SessionState session, LoginAnswer review)
    {
        try
        {
            inner.OnLoginReviewed(session, review);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnSender(SessionState session, Transaction transaction)
    {
        try
        {
            inner.OnSender(session, transaction);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnRecipient(SessionState session, Transaction transaction, Mailbox recipient)
    {
        try
        {
            inner.OnRecipient(session, transaction, recipient);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnReset(SessionState session)
    {
        try
        {
            inner.OnReset(session);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnProxyRefused(string listener, IPAddress balancer, string reason)
    {
        try
        {
            inner.OnProxyRefused(listener, balancer, reason);
        }
        catch (Exception e)
        {
            Trouble(listener, e);
        }
    }

    public void OnClientNamed(SessionState session, IPAddress was)
    {
        try
        {
            inner.OnClientNamed(session, was);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnQueueStart(SessionState session, QueueName queue, QueueStart answer)
    {
        try
        {
            inner.OnQueueStart(session, queue, answer);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnRefused(SessionState session, string verb, Reply reply)
    {
        try
        {
            inner.OnRefused(session, verb, reply);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome)
    {
        try
        {
            inner.OnReceived(session, transaction, octets, outcome);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnListenerTrouble(string listener, string reason)
    {
        try
        {
            inner.OnListenerTrouble(listener, reason);
        }
        catch (Exception)
        {
            // There is nobody else to tell.
        }
    }

    public void OnLoadChanged(LoadState state, string gauge, double value)
    {
        try
        {
            inner.OnLoadChanged(state, gauge, value);
        }
        catch (Exception)
        {
            // There is nobody else to tell.
        }
    }

    public void OnGaugeFault(string gauge, Exception fault)
    {
        try
        {
            inner.OnGaugeFault(gauge, fault);
        }
        catch (Exception)
        {
            // There is nobody else to tell.
        }
    }

    public void OnClosed(SessionState session, string reason)
    {
        try
        {
            inner.OnClosed(session, reason);
        }
        catch (Exception e)
        {
            OnFault(session, e);
        }
    }

    public void OnFault(SessionState session, Exception fault)
    {
        try
        {
            inner.OnFault(session, fault);
        }
        catch (Exception)
        {
            // There is nobody else to tell.
        }
    }

    /// <summary>Outside of any session there is only the listener to speak of.</summary>
    private void Trouble(string listener, Exception e) => OnListenerTrouble(listener, $"the events threw {e.GetType().Name}: {e.Message}");
}
