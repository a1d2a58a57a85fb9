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

    /// <summary>
    /// Octets of events that may wait to be written, about; beyond that they are dropped and counted. Half of it is for what strangers
    /// cause, and where a caller can wait (<see cref="IAuditLog.AskAsync"/>) it waits.
    /// </summary>
    public long QueueOctets { get; init; } = 32 * 1024 * 1024;
}
