namespace Postern.Relay.Spool;

/// <summary>Whether the spool takes messages, and if not, why in words an operator can act on.</summary>
public sealed record SpoolStatus(SpoolCondition Condition, string? Reason)
{
    public static SpoolStatus Writable { get; } = new(SpoolCondition.Writable, Reason: null);
}
