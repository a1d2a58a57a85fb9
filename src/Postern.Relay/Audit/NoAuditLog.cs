using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>Keeps nothing: for dry runs, which decide and do not act.</summary>
public sealed class NoAuditLog : IAuditLog
{
    private NoAuditLog()
    {
    }

    public static NoAuditLog Instance { get; } = new();

    public long Dropped => 0;

    public void Append(AuditEvent audit)
    {
    }

    public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
