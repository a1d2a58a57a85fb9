using System.Net;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Events;

/// <summary>
/// What happens on a server, told synchronously on the session's loop: return at once, never throw. Every member does nothing by
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

    /// <summary>The end of data, or a chunk that failed, is answered. <paramref name="octets"/> counts the content as the draft gets it.</summary>
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

    /// <summary>The session is over: <c>quit</c>, <c>lost connection</c>, <c>timeout</c> or what else ended it.</summary>
    void OnClosed(SessionState session, string reason)
    {
    }
}
