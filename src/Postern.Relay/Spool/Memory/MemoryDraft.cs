using System.Buffers;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Memory;

/// <summary>Gathers one message in memory.</summary>
internal sealed class MemoryDraft(MemorySpool spool) : ISpoolDraft
{
    private readonly ArrayBufferWriter<byte> content = new();
    private bool isDone;

    public long Length => content.WrittenCount;

    public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(isDone, this);
        ct.ThrowIfCancellationRequested();
        this.content.Write(content.Span);
        return ValueTask.CompletedTask;
    }

    public ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(isDone, this);
        ct.ThrowIfCancellationRequested();
        SpoolRules.Check(envelope, state);
        var entry = new SpoolEntry(envelope, Length, state);
        spool.Add(entry, content.WrittenMemory);
        isDone = true;
        return new ValueTask<SpoolCommit>(new SpoolCommit.Durable(entry));
    }

    public ValueTask DisposeAsync()
    {
        isDone = true;
        return ValueTask.CompletedTask;
    }
}
