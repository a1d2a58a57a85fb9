using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>Takes every event that an operator may ask about later.</summary>
public interface IAuditLog : IAsyncDisposable
{
    /// <summary>
    /// Hands over one event; returns at once and never throws. Order of one caller is kept. An event that cannot be written (disk full)
    /// is counted in <see cref="Dropped"/>, never waited for: mail goes on.
    /// </summary>
    void Append(AuditEvent audit);

    /// <summary>
    /// Asked before an event is made: whether it will be written whole, and under which reference a reply may name it. A repeat has been
    /// counted already and is not appended. A stranger may be kept waiting here while the disk does not keep up; nobody else is.
    /// </summary>
    ValueTask<AuditCause> AskAsync(AuditCause cause, CancellationToken ct) => new(cause with { Standing = AuditStanding.Whole });

    /// <summary>Done when every event appended so far has been handed to the operating system.</summary>
    ValueTask FlushAsync(CancellationToken ct);

    /// <summary>
    /// Done when every event appended so far is on the disk for good, or given up as lost: about a second. Whoever keeps what the events
    /// could be told from again forgets it then.
    /// </summary>
    ValueTask SafeAsync(CancellationToken ct) => ValueTask.CompletedTask;

    /// <summary>The events of accepted messages are to have their subjects.</summary>
    bool WantsSubjects => false;

    /// <summary>Events lost since start.</summary>
    long Dropped { get; }
}
