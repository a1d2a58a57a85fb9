using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>One full block of a message that is not complete yet. Written is enough: the commit syncs it.</summary>
internal sealed class ChunkRequest(ContentBlock block, DraftChunks chunks) : LogRequest
{
    private readonly TaskCompletionSource<WriteFailure?> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override bool NeedsSync => false;

    /// <summary>Null when it is written and its place noted.</summary>
    public Task<WriteFailure?> Done => done.Task;

    public override LogRecord? Prepare() => block.ToChunk();

    public override void Apply(SpoolIndex index)
    {
        SpoolIndex.Claim(Location, chunks);
        chunks.Places.Add(Location);
    }

    public override void Succeeded() => done.SetResult(null);

    public override void Failed(WriteFailure failure) => done.SetResult(failure);
}
