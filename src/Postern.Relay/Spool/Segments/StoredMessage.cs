using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>One message of the index; guarded by the index's gate.</summary>
internal sealed class StoredMessage(QueueId id, ulong order, SpoolEntry? entry, MessageLocation location) : SpoolItem(id, entry)
{
    // Very many are held: what is there of a location, without what holds it together.
    private RecordLocation record = location.Record;
    private RecordLocation[] chunks = location.Chunks;
    private int inline = location.Inline;
    private RecordLocation state;

    /// <summary>Its number in the order of arrival.</summary>
    public ulong Order { get; } = order;

    /// <summary>
    /// Its delivery is over; it is in no list. Its entry is null as soon as the log has its last state: very many end in the second
    /// for which they are kept, and hardly one of them is asked for (<see cref="LoggedEntry"/>).
    /// </summary>
    public bool HasEnded { get; set; }

    public bool IsRemoved { get; set; }

    public MessageLocation Location
    {
        get => new(record, inline, chunks);
        set => (record, inline, chunks) = (value.Record, value.Inline, value.Chunks);
    }

    /// <summary>The record of its newest state; null while that is the one in the message record.</summary>
    public RecordLocation? StateRecord
    {
        get => state.Segment is null ? null : state;
        set => state = value ?? default;
    }

    /// <summary>Segments that may still hold an older copy of the message record.</summary>
    public List<Segment>? FormerHomes { get; set; }

    /// <summary>True while a file exists from which this message would come back if its removal were forgotten.</summary>
    public bool NeedsRemovalRecord =>
        !Location.Record.Segment.IsGone || (FormerHomes?.Exists(static home => !home.IsGone) ?? false);
}

/// <summary>Where one message stands: its record, which ends the content, and the chunks that come before.</summary>
/// <param name="Inline">Octets of content inside the message record.</param>
internal readonly record struct MessageLocation(RecordLocation Record, int Inline, RecordLocation[] Chunks)
{
    /// <summary>The length of the content.</summary>
    public long ContentOctets
    {
        get
        {
            long octets = Inline;
            foreach (var chunk in Chunks)
                octets += chunk.Length;
            return octets;
        }
    }

    public bool Touches(Segment segment) =>
        Record.Segment == segment || Array.Exists(Chunks, chunk => chunk.Segment == segment);
}
