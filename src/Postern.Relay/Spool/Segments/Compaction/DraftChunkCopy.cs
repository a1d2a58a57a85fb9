using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>Copies one chunk of a message that is still being written out of a segment that is to go.</summary>
/// <param name="onRefused">Called when the chunk stays where it is: the segment is to be looked at again later.</param>
internal sealed class DraftChunkCopy(ISegmentFiles files, DraftChunks chunks, RecordLocation source, Action onRefused) : LogRequest
{
    private readonly ContentBlock block = new();

    public override bool NeedsSync => false;

    public override LogRecord? Prepare()
    {
        try
        {
            RecordReader.Read(files, source, block.Room(source.Length));
            block.Advance(source.Length);
            return block.ToChunk();
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return null;                        // it stays where it is, and so does its segment
        }
    }

    public override void Apply(SpoolIndex index)
    {
        // Committed in the same batch, with the old place in its record: as a message it moves in the next round.
        if (!chunks.IsClosed && chunks.Places.IndexOf(source) is >= 0 and var i)
            index.MoveDraftChunk(chunks, i, Location);
        else
            onRefused();
    }

    public override void Succeeded() => block.Return();

    public override void Failed(WriteFailure failure)
    {
        block.Return();
        onRefused();
    }
}
