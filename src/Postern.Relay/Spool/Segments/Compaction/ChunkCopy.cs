using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>Copies one chunk of a message out of a segment that is to go.</summary>
internal sealed class ChunkCopy(MessageMove move, RecordLocation source) : LogRequest
{
    private readonly ContentBlock block = new();

    public override bool NeedsSync => false;

    public override LogRecord? Prepare()
    {
        if (move.IsGivenUp || !move.TryRead(source, block.Room(source.Length)))
            return null;
        block.Advance(source.Length);
        return block.ToChunk();
    }

    public override void Apply(SpoolIndex index)
    {
        SpoolIndex.Claim(Location);
        move.Chunks.Add(Location);
    }

    public override void Succeeded() => block.Return();

    public override void Failed(WriteFailure failure)
    {
        block.Return();
        move.Refuse();
    }
}
