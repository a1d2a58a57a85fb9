namespace Postern.Relay.Spool;

/// <summary>Whether the spool takes messages, and if not, why in words an operator can act on.</summary>
public sealed record SpoolStatus(SpoolCondition Condition, string? Reason)
{
    public static SpoolStatus Writable { get; } = new(SpoolCondition.Writable, Reason: null);
}

public enum SpoolCondition
{
    Writable,

    /// <summary>The reserve of free space is used up; clears by itself when space returns.</summary>
    Full,

    /// <summary>Writing or syncing failed; nothing more is accepted until a restart.</summary>
    Failed,
}
