using System.Threading.Tasks.Sources;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// A message on its way into the log. Content gathers in one pooled block; a full block goes to the committer as a chunk, and the
/// writer waits until it is written. The commit is this object itself, so that it costs no other.
/// </summary>
internal sealed class SegmentDraft(SegmentSpool spool) : LogRequest, ISpoolDraft, IValueTaskSource<SpoolCommit>
{
    private readonly ContentBlock block = new();
    private ManualResetValueTaskSourceCore<SpoolCommit> answer = new() { RunContinuationsAsynchronously = true };
    private DraftChunks? chunks;
    private IReadOnlyList<Settlement> settlements = [];
    private RecordLocation[] named = [];
    private WriteFailure? failure = spool.Refusal;
    private SpoolEntry? entry;
    private LogRecord record;
    private ulong order;
    private int inline;
    private bool isHandedOver;

    public long Length { get; private set; }

    public override ulong? Order => null;

    public override SpoolEntry? Committed => entry;

    public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(isHandedOver, this);
        ct.ThrowIfCancellationRequested();
        Length += content.Length;
        if (failure is not null)
            return ValueTask.CompletedTask;
        var taken = block.Append(content.Span);
        return taken == content.Length ? ValueTask.CompletedTask : AppendRestAsync(content[taken..]);
    }

    public ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct) =>
        CommitWithAsync(envelope, state, settled: [], ct);

    /// <param name="settled">Other messages whose states are recorded with this one.</param>
    public ValueTask<SpoolCommit> CommitWithAsync(
        Envelope envelope, DeliveryState state, IReadOnlyList<Settlement> settled, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(isHandedOver, this);
        ct.ThrowIfCancellationRequested();
        SpoolRules.Check(envelope, state);
        if ((failure ?? spool.Refusal) is { } refusal)
            return new ValueTask<SpoolCommit>(refusal.ToCommit());
        spool.RefuseDuplicate(envelope.Id);

        entry = new SpoolEntry(envelope, Length, state);
        inline = block.Length;
        named = spool.PlacesOf(chunks);
        settlements = settled;
        record = ToRecord(envelope, state);
        isHandedOver = true;
        spool.Submit(this);
        return new ValueTask<SpoolCommit>(this, answer.Version);
    }

    public ValueTask DisposeAsync()
    {
        if (!isHandedOver)
        {
            isHandedOver = true;
            GiveUp();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>From here on the chunks stay where the record says that they are.</summary>
    public override LogRecord? Prepare()
    {
        if (chunks is null)
            return record;
        var places = spool.Close(chunks);
        if (!named.AsSpan().SequenceEqual(places))
        {
            named = places;
            record = ToRecord(entry!.Envelope, entry.State);
        }

        return record;
    }

    public override void Place(RecordLocation location, ulong order)
    {
        base.Place(location, order);
        this.order = order;
    }

    public override void Apply(SpoolIndex index)
    {
        index.Unclaim(named);
        index.Add(new StoredMessage(entry!.Envelope.Id, order, entry, new MessageLocation(Location, inline, named)));
        foreach (var settlement in settlements)
            settlement.Apply(index, Location);
    }

    public override void Succeeded()
    {
        block.Return();
        foreach (var settlement in settlements)
            settlement.End();
        answer.SetResult(new SpoolCommit.Durable(entry!));
    }

    public override void Failed(WriteFailure failure)
    {
        GiveUp();
        foreach (var settlement in settlements)
            settlement.End();
        answer.SetResult(failure.ToCommit());
    }

    SpoolCommit IValueTaskSource<SpoolCommit>.GetResult(short token) => answer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<SpoolCommit>.GetStatus(short token) => answer.GetStatus(token);

    void IValueTaskSource<SpoolCommit>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        answer.OnCompleted(continuation, state, token, flags);

    private LogRecord ToRecord(Envelope envelope, DeliveryState state) =>
        block.ToMessage(envelope, state, named, settlements.Count == 0 ? null : [.. settlements.Select(static s => s.Stored)]);

    private async ValueTask AppendRestAsync(ReadOnlyMemory<byte> content)
    {
        while (!content.IsEmpty && failure is null)
        {
            if (block.IsFull)
            {
                failure = spool.Refusal ?? await WriteChunkAsync();
                block.Clear();
            }
            else
            {
                content = content[block.Append(content.Span)..];
            }
        }
    }

    private Task<WriteFailure?> WriteChunkAsync()
    {
        var chunk = new ChunkRequest(block, chunks ??= new DraftChunks());
        spool.Submit(chunk);
        return chunk.Done;
    }

    /// <summary>Nothing of it remains: its chunks are dead, and compaction will find them.</summary>
    private void GiveUp()
    {
        block.Return();
        if (chunks is not null)
            spool.Unclaim(chunks);
        chunks = null;
    }
}

/// <summary>
/// The chunks of a message that is not committed yet. They change place when compaction empties their segment: a client that takes
/// an hour for its message keeps no segment in place. Guarded by the index's gate; only the committer changes a place.
/// </summary>
internal sealed class DraftChunks
{
    public List<RecordLocation> Places { get; } = [];

    /// <summary>The record that names the chunks is written, or nobody wants them any more: they are not moved as these.</summary>
    public bool IsClosed { get; set; }
}
