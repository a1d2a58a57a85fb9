using System.Net;
using Postern.Smtp.Message;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Events;

/// <summary>
/// What happens on a server, told synchronously, on the session's loop or the server's clock: return at once, never throw. Every member does nothing by
/// default. No member is ever given a secret or the text of a command.
/// </summary>
public interface ISmtpEvents
{
    void OnConnected(SessionState session)
    {
    }

    /// <summary>A connection was answered 421 at the gate; <paramref name="reason"/> names the limit.</summary>
    void OnTurnedAway(string listener, IPAddress client, string reason)
    {
    }

    void OnTlsStarted(SessionState session)
    {
    }

    /// <summary>The handshake failed or took too long; the session ends.</summary>
    void OnTlsFailed(SessionState session, string reason)
    {
    }

    void OnLogin(SessionState session, LoginAttempt attempt)
    {
    }

    /// <summary>A command was answered 4xx or 5xx. <paramref name="verb"/> is the verb's name, or <c>?</c> when it is unknown.</summary>
    void OnRefused(SessionState session, string verb, Reply reply)
    {
    }

    /// <summary>The end of data was answered. <paramref name="octets"/> counts the content after dot-unstuffing.</summary>
    void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome)
    {
    }

    /// <summary>A policy, a store or this library threw. The session ends with 421, others go on.</summary>
    void OnFault(SessionState session, Exception fault)
    {
    }

    /// <summary>A listener cannot accept for the moment, or stopped for good.</summary>
    void OnListenerTrouble(string listener, string reason)
    {
    }

    /// <summary>The server got heavier or lighter. <paramref name="value"/> is the reading, 0 to 1, of the gauge that caused it, or the highest.</summary>
    void OnLoadChanged(LoadState state, string gauge, double value)
    {
    }

    /// <summary>A gauge threw, and is not asked any more.</summary>
    void OnGaugeFault(string gauge, Exception fault)
    {
    }

    /// <summary>The session is over: <c>quit</c>, <c>lost connection</c>, <c>timeout</c>, <c>overload</c> or what else ended it.</summary>
    void OnClosed(SessionState session, string reason)
    {
    }
}
