using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Audit.Accounting;
using Postern.Relay.Audit.Onward;

namespace Postern.Relay.Audit;

/// <summary>Where the audit log goes and how long it stays.</summary>
public sealed record AuditLogOptions
{
    /// <summary>Made when it is not there, for its owner only.</summary>
    public required string Directory { get; init; }

    /// <summary>The log is to have the subjects of messages, which often say more than their senders want others to read.</summary>
    public bool WithSubjects { get; init; }

    /// <summary>Whole days kept besides today, by UTC; older files are deleted.</summary>
    public int KeepDays { get; init; } = 90;

    /// <summary>
    /// Octets of all files together: beyond it the oldest file of the largest kind is deleted. What clients without a login cause may be a
    /// twentieth of it, for each kind and day.
    /// </summary>
    public long MostOctets { get; init; } = 10_000_000_000;

    /// <summary>
    /// From the octets of a file system those that the spool needs free on it: below twice as much strangers' events are only counted,
    /// below one and a half nothing is written. Null: no matter.
    /// </summary>
    public Func<long, long>? SpoolReserve { get; init; }

    /// <summary>The size of a directory's file system and what is free of it, in octets; null to ask the system.</summary>
    internal Func<string, (long Total, long Free)?>? Space { get; init; }

    /// <summary>The accounting log beside the files; null for none.</summary>
    public AcctLogOptions? AcctLog { get; init; }

    /// <summary>A server that is sent every line; null for none.</summary>
    public SyslogTarget? Syslog { get; init; }

    /// <summary>The journal of this machine, which is sent every line; null for none.</summary>
    public JournalTarget? Journal { get; init; }

    /// <summary>How long those who are sent lines are waited for; null for what is usual.</summary>
    internal ForwardTimes? Forwarding { get; init; }

    /// <summary>Clients that are trusted as those that have logged in are: their repeats are written whole for longer.</summary>
    public ImmutableArray<IPNetwork> Exempt { get; init; } = [];

    /// <summary>
    /// A copy of every line, for standard output. It may lose lines when nobody reads it; the files do not wait for it. Not disposed.
    /// </summary>
    public Stream? Copy { get; init; }

    /// <summary>
    /// Octets of events that may wait to be written, about; beyond that they are dropped and counted. Half of it is for what strangers
    /// cause, and where a caller can wait (<see cref="IAuditLog.AskAsync"/>) it waits.
    /// </summary>
    public long QueueOctets { get; init; } = 32 * 1024 * 1024;
}
