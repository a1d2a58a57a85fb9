using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>The emptying of one segment: what still lives in it is copied to the head of the log. The committer's own.</summary>
internal sealed class SegmentDrain(SpoolIndex index, ISegmentFiles files, Segment segment, IEnumerable<DraftChunks> drafts)
{
    /// <summary>So many of a segment's messages are looked at for one batch: a million of them may live elsewhere by now.</summary>
    private const int MostLookedAt = 4_096;

    private readonly Queue<DraftChunks> drafts = new(drafts);

    /// <summary>Copied by the slice under way: the index does not know of it yet.</summary>
    private readonly HashSet<StoredMessage> underWay = [];

    /// <summary>Only the committer adds to the list, and only to that of the newest segment, which this is not.</summary>
    private int nextResident;
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
        underWay.Clear();
        var lookedAt = 0;
        while (octets > 0 && !IsDone)
        {
            if (move is null)
            {
                if (nextResident == segment.Residents.Count)
                    break;
                if (lookedAt++ == MostLookedAt)
                    yield break;
                var message = segment.Residents[nextResident++];
                if (underWay.Contains(message) || Begin(message) is not { } stateCopy)
                    continue;
                octets -= message.StateRecord?.Stride ?? 0;
                underWay.Add(message);
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
                underWay.Add(move.Message);
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

        if (nextResident < segment.Residents.Count || drafts.Count > 0 || move is not null || IsDone)
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
