using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>Copies a message record, with the newest state, out of a segment that is to go; its chunks have been copied before.</summary>
internal sealed class MessageCopy(SpoolIndex index, MessageMove move) : LogRequest
{
    private readonly ContentBlock block = new();
    private int inline;

    public override ulong? Order => move.Message.Order;

    public override LogRecord? Prepare()
    {
        MessageLocation source;
        lock (index.Gate)
        {
            if (move.Message.IsRemoved)
                return null;
            source = move.Message.Location;
        }

        // Whoever gave up has fewer chunks than the message, and a message without them would be cut short.
        if (move.IsGivenUp
            || move.Chunks.Count != source.Chunks.Length
            || !move.TryReadEntry(out var entry)
            || !move.TryReadInline(source, block))
            return null;
        inline = block.Length;
        return block.ToMessage(entry.Envelope, entry.State, move.Chunks);
    }

    public override void Apply(SpoolIndex index)
    {
        var chunks = move.Chunks.ToArray();
        move.ReleaseChunks();
        if (move.Message.IsRemoved)
            SpoolIndex.Remember(move.Message, Location.Segment);
        else
            index.Move(move.Message, new MessageLocation(Location, inline, chunks));
    }

    public override void Succeeded()
    {
        block.Return();
        move.ReleaseChunks();
    }

    public override void Failed(WriteFailure failure)
    {
        block.Return();
        move.Refuse();
    }
}

/// <summary>Copies the newest state of a message out of a segment that is to go.</summary>
internal sealed class StateCopy(SpoolIndex index, StoredMessage message, DeliveryState state, Action onRefused)
    : StateRecord(index, message, state)
{
    public override void Failed(WriteFailure failure) => onRefused();
}
