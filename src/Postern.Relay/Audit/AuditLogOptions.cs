namespace Postern.Relay.Audit;

/// <summary>Where the audit log goes and how long it stays.</summary>
public sealed record AuditLogOptions
{
    /// <summary>Made when it is not there, for its owner only.</summary>
    public required string Directory { get; init; }

    /// <summary>Whole days kept besides today, by UTC; older files are deleted at start and at midnight.</summary>
    public int KeepDays { get; init; } = 90;

    /// <summary>A copy of every line, for standard output. It may lose lines when nobody reads it; the files do not wait for it. Not disposed.</summary>
    public Stream? Copy { get; init; }

    /// <summary>Events that may wait to be written; beyond that they are dropped and counted.</summary>
    public int QueueLength { get; init; } = 65_536;
}
