using System.Collections.Concurrent;
using System.Threading.Channels;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Keeps every event, and lets a test wait for one.</summary>
internal sealed class RecordingAudit : IAuditLog
{
    private readonly ConcurrentQueue<AuditEvent> events = new();
    private readonly Channel<AuditEvent> arrivals = Channel.CreateUnbounded<AuditEvent>();

    public IReadOnlyList<AuditEvent> Events => [.. events];

    public long Dropped => 0;

    public void Append(AuditEvent audit)
    {
        events.Enqueue(audit);
        arrivals.Writer.TryWrite(audit);
    }

    public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The next event of a kind in order, those before it passed over.</summary>
    public async Task<T> NextAsync<T>()
        where T : AuditEvent
    {
        while (true)
        {
            if (await arrivals.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20)) is T wanted)
                return wanted;
        }
    }
}
