using System.Net;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// Which client made an event happen, and what kind of thing it was: events that agree in it are repeats of each other
/// (<see cref="AuditBudget"/>). It is not written. Every part but the addresses comes from a closed list, never from the client.
/// </summary>
/// <param name="Login">The login, canonical; null for a stranger.</param>
/// <param name="Word">The stage of a decision, the outcome of a login, the name of a server event.</param>
/// <param name="Detail">The rule, the verb, or the name of a user that exists.</param>
/// <param name="Code">The code of the reply; 0 where there is none.</param>
public readonly record struct AuditCause(AuditKind Kind, IPAddress Client, string? Login, string Word, string? Detail = null, int Code = 0)
{
    /// <summary>Nobody has proven who it is.</summary>
    public bool IsStranger => Login is null;

    /// <summary>
    /// Going in the reference of a new decision; coming out of <see cref="IAuditLog.AskAsync"/> the one that the log can find.
    /// </summary>
    public string? Ref { get; init; }

    public AuditStanding Standing { get; init; }

    /// <summary>
    /// A message was answered 250. It is told, unless strangers send them in floods (<see cref="AuditBudget.MessagesOctets"/>).
    /// </summary>
    public bool IsMessage { get; init; }
}

/// <summary>What the log does with an event.</summary>
public enum AuditStanding
{
    /// <summary>The log has not been asked; it decides when it gets the event.</summary>
    NotAsked,

    /// <summary>It is written whole.</summary>
    Whole,

    /// <summary>It has been counted, and is not to be appended.</summary>
    Repeat,
}
