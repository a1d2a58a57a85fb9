using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>The emptying of one segment: what still lives in it is copied to the head of the log. The committer's own.</summary>
internal sealed class SegmentDrain(
    SpoolIndex index, ISegmentFiles files, Segment segment, IEnumerable<StoredMessage> residents, IEnumerable<DraftChunks> drafts)
{
    private readonly Queue<StoredMessage> residents = new(residents);
    private readonly Queue<DraftChunks> drafts = new(drafts);
    private readonly List<StoredMessage> owed = [];
    private MessageMove? move;
    private bool isDone;
    private bool wasRefused;

    public Segment Segment => segment;

    /// <summary>The disk did not take a copy: to be begun again later.</summary>
    public bool WasRefused => wasRefused || owed.Count > 0;

    /// <summary>Everything has been handed out to be copied.</summary>
    public bool IsDone => isDone || WasRefused;

    /// <summary>The next records to copy, about so many octets of them. What they say must be applied before the next call.</summary>
    public IEnumerable<LogRequest> Next(long octets)
    {
        while (octets > 0 && !IsDone)
        {
            if (move is null)
            {
                if (!residents.TryDequeue(out var message))
                    break;
                if (Begin(message) is { } stateCopy)
                    yield return stateCopy;
            }
            else if (MissingChunks(move) is { Length: > 0 } missing)
            {
                foreach (var chunk in missing.Take((int)(octets / ContentBlock.FullSize) + 1))
                    yield return new ChunkCopy(move, chunk);
                yield break;                    // the message can name its chunks only when they stand
            }
            else
            {
                octets -= move.Message.Location.Record.Stride;
                yield return new MessageCopy(index, move);
                move = null;
            }
        }

        while (octets > 0 && !IsDone && drafts.TryDequeue(out var draft))
        {
            foreach (var chunk in PlacesHere(draft))
            {
                octets -= chunk.Stride;
                yield return new DraftChunkCopy(files, draft, chunk, () => wasRefused = true);
            }
        }

        if (residents.Count > 0 || drafts.Count > 0 || move is not null || IsDone)
            yield break;
        isDone = true;
        foreach (var removal in RemovalRequest.For(NeededRemovals(), owed, needsSync: true))
            yield return removal;
    }

    /// <summary>A message to move becomes <see cref="move"/>; the answer is the copy of a state that alone lies here.</summary>
    private StateCopy? Begin(StoredMessage message)
    {
        var next = new MessageMove(files, index, message, () => wasRefused = true);
        lock (index.Gate)
        {
            if (message.IsRemoved)
                return null;
            if (message.Location.Touches(segment))
                move = next;
            if (move is not null || message.StateRecord?.Segment != segment)
                return null;
        }

        return next.TryReadEntry(out var entry) ? new StateCopy(index, message, entry.State, () => wasRefused = true) : null;
    }

    private static RecordLocation[] MissingChunks(MessageMove move) =>
        move.IsGivenUp ? [] : move.Message.Location.Chunks[move.Chunks.Count..];

    /// <summary>One that was committed meanwhile is a message, whose turn comes when the segment is looked at again.</summary>
    private List<RecordLocation> PlacesHere(DraftChunks draft)
    {
        lock (index.Gate)
        {
            wasRefused |= draft.IsClosed && draft.Places.Count > 0;
            return draft.IsClosed ? [] : draft.Places.FindAll(chunk => chunk.Segment == segment);
        }
    }

    private List<StoredMessage> NeededRemovals()
    {
        lock (index.Gate)
            return segment.Removals.FindAll(static message => message.NeedsRemovalRecord);
    }
}
