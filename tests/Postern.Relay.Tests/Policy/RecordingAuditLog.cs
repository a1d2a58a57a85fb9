using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Tests.Policy;

/// <summary>Keeps what was appended, for a test to look at.</summary>
internal sealed class RecordingAuditLog : IAuditLog
{
    public List<AuditEvent> Events { get; } = [];

    public long Dropped => 0;

    public void Append(AuditEvent audit)
    {
        lock (Events)
            Events.Add(audit);
    }

    public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
