using System.Buffers.Binary;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>Records that messages are no more, many at a time.</summary>
/// <param name="owed">Takes the messages back when the disk had no room for the record, to be tried again.</param>
internal sealed class RemovalRequest(ArraySegment<StoredMessage> messages, List<StoredMessage> owed, bool needsSync) : LogRequest
{
    private const int IdSize = 16;

    // A record is lost as a whole: so many delivered messages come back by one damaged octet.
    private const int MostMessages = 64;

    public override bool NeedsSync => needsSync;

    public static IEnumerable<RemovalRequest> For(
        IReadOnlyCollection<StoredMessage> messages, List<StoredMessage> owed, bool needsSync = false)
    {
        var all = messages.Count == 0 ? [] : messages.ToArray();
        for (var i = 0; i < all.Length; i += MostMessages)
            yield return new RemovalRequest(
                new ArraySegment<StoredMessage>(all, i, Math.Min(MostMessages, all.Length - i)), owed, needsSync);
    }

    public override LogRecord? Prepare()
    {
        var octets = new byte[RecordHeader.Size + (messages.Count * IdSize)];
        var rest = octets.AsSpan(RecordHeader.Size);
        foreach (var message in messages)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(rest, message.Id.Value);
            rest = rest[IdSize..];
        }

        return new LogRecord(RecordKind.Removed, octets, second: default, octets.Length - RecordHeader.Size);
    }

    public override void Apply(SpoolIndex index) => Location.Segment.Removals.AddRange(messages);

    public override void Failed(WriteFailure failure) => owed.AddRange(messages);
}
