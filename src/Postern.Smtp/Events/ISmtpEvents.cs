using System.Net;
using Postern.Sasl;
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
/// What happens on a server, told synchronously, on the session's loop before the client reads the reply, or on the server's clock: return
/// at once. Every member does nothing by default. No member is ever given a secret or the text of a command. What a member throws is handed
/// to <see cref="OnFault"/> and changes nothing for the client.
/// </summary>
/// <remarks>
/// For one session, in this order: <see cref="OnConnected"/>; for each command <see cref="OnCommand"/>, then what came of it
/// (<see cref="OnTlsStarted"/> or <see cref="OnTlsFailed"/>, <see cref="OnLogin"/>, <see cref="OnSender"/>, <see cref="OnRecipient"/>,
/// <see cref="OnReceived"/>, <see cref="OnReset"/>), and <see cref="OnRefused"/> last when the answer is no; at the end
/// <see cref="OnClosed"/>, always and once. Sessions run beside each other, so members are called concurrently.
/// </remarks>
public interface ISmtpEvents
{
    /// <summary>A session begins; nothing has been said yet.</summary>
    void OnConnected(SessionState session)
    {
    }

    /// <summary>
    /// A connection was answered 421 or 554 at the gate; <paramref name="reason"/> says what <paramref name="cause"/> means, for people.
    /// </summary>
    void OnTurnedAway(string listener, IPAddress client, TurnAwayCause cause, string reason)
    {
    }

    /// <summary>A listed load balancer sent no proper PROXY header; its connection was dropped without a reply.</summary>
    void OnProxyRefused(string listener, IPAddress balancer, string reason)
    {
    }

    /// <summary>
    /// A peer named another client by XCLIENT: <paramref name="session"/> has the new facts, <paramref name="was"/> is who it was until
    /// now.
    /// </summary>
    void OnClientNamed(SessionState session, IPAddress was)
    {
    }

    /// <summary>ETRN was answered.</summary>
    void OnQueueStart(SessionState session, QueueName queue, QueueStart answer)
    {
    }

    /// <summary>
    /// A known command came, and nothing has been decided yet. <paramref name="verb"/> is its name in upper case; never its argument.
    /// </summary>
    void OnCommand(SessionState session, string verb)
    {
    }

    /// <summary>The handshake succeeded; what was said before it is forgotten.</summary>
    void OnTlsStarted(SessionState session)
    {
    }

    /// <summary>The handshake failed or took too long; the session ends.</summary>
    void OnTlsFailed(SessionState session, string reason)
    {
    }

    /// <summary>An AUTH command is over, successful or not.</summary>
    void OnLogin(SessionState session, LoginAttempt attempt)
    {
    }

    /// <summary>
    /// What a login rests on was asked again, and it is gone (<see cref="LoginAnswer.NoMatch"/>; the session ends with 421), or nothing can
    /// be said now (451 to MAIL or to the message). A login that holds is not told.
    /// </summary>
    void OnLoginReviewed(SessionState session, LoginAnswer review)
    {
    }

    /// <summary>MAIL was accepted.</summary>
    void OnSender(SessionState session, Transaction transaction)
    {
    }

    /// <summary>RCPT was accepted. <paramref name="recipient"/> is on the transaction once, however often the client says it.</summary>
    void OnRecipient(SessionState session, Transaction transaction, Mailbox recipient)
    {
    }

    /// <summary>RSET: the transaction, if there was one, is forgotten.</summary>
    void OnReset(SessionState session)
    {
    }

    /// <summary>A command was answered 4xx or 5xx. <paramref name="verb"/> is the verb's name, or <c>?</c> when it is unknown.</summary>
    void OnRefused(SessionState session, string verb, Reply reply)
    {
    }

    /// <summary>
    /// The end of data, or a chunk that failed, is about to be answered; with <see cref="StoreOutcome.Stored"/> the message is the store's.
    /// <paramref name="octets"/> counts the content as the draft gets it.
    /// </summary>
    void OnReceived(SessionState session, Transaction transaction, long octets, StoreOutcome outcome)
    {
    }

    /// <summary>
    /// A policy, a store or this library threw: the session ends with 421, others go on. Or a member of this interface did: the session
    /// goes on.
    /// </summary>
    void OnFault(SessionState session, Exception fault)
    {
    }

    /// <summary>A listener cannot accept for the moment, or stopped for good.</summary>
    void OnListenerTrouble(string listener, string reason)
    {
    }

    /// <summary>
    /// The server got heavier or lighter. <paramref name="value"/> is the reading, 0 to 1, of the gauge that caused it, or the highest.
    /// </summary>
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

/// <summary>One finished AUTH command, successful or not. Never holds a secret.</summary>
/// <param name="Mechanism">The name as registered.</param>
/// <param name="ClaimedUser">What the client called itself; null when it did not get that far.</param>
/// <param name="UserExists">False: mask the claimed user, for people type passwords there.</param>
/// <param name="Identity">
/// Null unless the attempt succeeded. Whether it is a login is <see cref="Session.SessionState.Login"/>: ANONYMOUS has an identity and logs
/// nobody in.
/// </param>
/// <param name="Error">Null on success and on a cancelled exchange.</param>
/// <param name="Reason">For the audit trail.</param>
public sealed record LoginAttempt(
    string Mechanism, string? ClaimedUser, bool UserExists, SaslIdentity? Identity, SaslError? Error, string Reason)
{
    /// <summary>
    /// Which of the user's secrets it was, by a name that tells nothing of it: the one that logged in, or one that is right and may not be
    /// used here. Null where none was right, and where nobody can say.
    /// </summary>
    public string? Credential { get; init; }
}

internal sealed class NoEvents : ISmtpEvents
{
    public static NoEvents Instance { get; } = new();
}
