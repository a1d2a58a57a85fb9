namespace Postern.Relay.Audit;

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
