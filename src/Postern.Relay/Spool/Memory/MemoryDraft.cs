using System.Buffers;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;

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

    public ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct) =>
        CommitWithAsync(envelope, state, with: null, ct);

    /// <param name="with">What is done in the same step; false: nothing is.</param>
    public ValueTask<SpoolCommit> CommitWithAsync(Envelope envelope, DeliveryState state, Func<DueIndex, bool>? with, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(isDone, this);
        ct.ThrowIfCancellationRequested();
        SpoolRules.Check(envelope, state);
        var entry = new SpoolEntry(envelope, Length, state);
        if (!spool.Add(entry, content.WrittenMemory, with))
            return new ValueTask<SpoolCommit>(SpoolCommit.Outdated.Instance);
        isDone = true;
        return new ValueTask<SpoolCommit>(new SpoolCommit.Durable(entry));
    }

    public ValueTask DisposeAsync()
    {
        isDone = true;
        return ValueTask.CompletedTask;
    }
}
