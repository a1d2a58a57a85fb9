using System.Collections.Concurrent;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Tests.DovecotAuth;

/// <summary>Keeps what any thread appends, in order.</summary>
internal sealed class SharedAuditLog : IAuditLog
{
    private readonly ConcurrentQueue<AuditEvent> events = new();

    public IReadOnlyList<AuditEvent> Events => [.. events];

    public long Dropped => 0;

    public void Append(AuditEvent audit) => events.Enqueue(audit);

    public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
