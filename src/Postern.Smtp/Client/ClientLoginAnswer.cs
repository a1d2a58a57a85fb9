using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>What a login came to. No case holds a secret, not even where a server repeats it.</summary>
public abstract record ClientLoginAnswer
{
    private ClientLoginAnswer()
    {
    }

    /// <summary>235, from a server that has proven itself where the mechanism asks for it.</summary>
    public sealed record Accepted(string Mechanism, Reply Reply) : ClientLoginAnswer;

    /// <summary>4xx or 5xx. After 535 and 454 the session is open as before; after 421 it is not.</summary>
    public sealed record Refused(string Mechanism, Reply Reply) : ClientLoginAnswer;

    /// <summary>
    /// No mechanism was tried: nothing is offered, suits the credentials, and may be used on this connection. The session is open as
    /// before.
    /// </summary>
    public sealed record Unsuitable(string Reason) : ClientLoginAnswer;

    /// <summary>
    /// The client gave the exchange up: the server broke the mechanism's rules or did not prove itself. The session is over.
    /// </summary>
    public sealed record Abandoned(string Mechanism, string Reason) : ClientLoginAnswer;

    /// <summary>No answer that decides; the connection is gone.</summary>
    public sealed record Broken(string Mechanism, ClientFault Fault, string Detail) : ClientLoginAnswer;
}
