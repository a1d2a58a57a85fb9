using System.Buffers.Binary;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>
/// The last record of a segment that is complete. It stands where the other records end, and says how many they are. Only the
/// newest segment may lack it.
/// </summary>
/// <param name="Gaps">Stretches that a power loss had left unreadable when the segment was sealed, and that were told of then.</param>
internal sealed record SegmentFooter(SegmentTally Tally, IReadOnlyList<(long Offset, long Length)> Gaps)
{
    private const int CountAt = 0;
    private const int CrcAt = 4;
    private const int PrefixSize = 8;
    private const int GapSize = 16;

    /// <summary>Octets of a footer without gaps.</summary>
    public const int UsualStride = RecordHeader.Size + PrefixSize;

    public int Stride => UsualStride + (Gaps.Count * GapSize);

    public LogRecord ToRecord()
    {
        var octets = new byte[Stride];
        var payload = octets.AsSpan(RecordHeader.Size);
        BinaryPrimitives.WriteInt32LittleEndian(payload[CountAt..], Tally.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[CrcAt..], Tally.Crc);
        payload = payload[PrefixSize..];
        foreach (var (offset, length) in Gaps)
        {
            BinaryPrimitives.WriteInt64LittleEndian(payload, offset);
            BinaryPrimitives.WriteInt64LittleEndian(payload[8..], length);
            payload = payload[GapSize..];
        }

        return new LogRecord(RecordKind.Sealed, octets, second: default, octets.Length - RecordHeader.Size);
    }

    /// <summary>Null when the payload is too short.</summary>
    public static SegmentFooter? Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < PrefixSize)
            return null;
        var tally = new SegmentTally(
            BinaryPrimitives.ReadInt32LittleEndian(payload[CountAt..]), BinaryPrimitives.ReadUInt32LittleEndian(payload[CrcAt..]));
        var gaps = new List<(long, long)>();
        for (payload = payload[PrefixSize..]; payload.Length >= GapSize; payload = payload[GapSize..])
            gaps.Add((BinaryPrimitives.ReadInt64LittleEndian(payload), BinaryPrimitives.ReadInt64LittleEndian(payload[8..])));
        return new SegmentFooter(tally, gaps);
    }
}
