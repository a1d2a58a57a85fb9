using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>What a server's side of the dialogue came to: for opening a session, or for one recipient of a transaction.</summary>
public abstract record ClientAnswer
{
    private ClientAnswer()
    {
    }

    /// <summary>2xx: the session is open, or the server took responsibility for the message to this recipient.</summary>
    public sealed record Accepted(Reply Reply) : ClientAnswer;

    /// <summary>4xx or 5xx; <paramref name="Phase"/> is the command that was answered.</summary>
    public sealed record Refused(ClientPhase Phase, Reply Reply) : ClientAnswer
    {
        /// <summary>
        /// The client's own verdict, in the server's words: it does not offer what the message needs, so nothing was sent.
        /// </summary>
        public bool IsForeseen { get; init; }
    }

    /// <summary>No answer that decides; the connection is gone.</summary>
    public sealed record Broken(ClientPhase Phase, ClientFault Fault, string Detail) : ClientAnswer
    {
        /// <summary>
        /// What the system threw; null where the server's own words, or silence, ended it. Tells a peer that failed from a machine that ran
        /// short.
        /// </summary>
        public Exception? Cause { get; init; }
    }
}
