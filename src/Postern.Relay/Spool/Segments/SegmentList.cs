using System.Buffers.Binary;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The first record of a segment: which others there were when it was begun. One that is missing later was lost or retired.
/// </summary>
internal static class SegmentList
{
    private const int EntrySize = 16;

    public static int Stride(int segments) => RecordHeader.Size + (segments * EntrySize);

    public static LogRecord ToRecord(IReadOnlyList<Segment> segments)
    {
        var octets = new byte[Stride(segments.Count)];
        var payload = octets.AsSpan(RecordHeader.Size);
        foreach (var segment in segments)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(payload, segment.Id);
            BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], segment.Stamp);
            payload = payload[EntrySize..];
        }

        return new LogRecord(RecordKind.Segments, octets, second: default, octets.Length - RecordHeader.Size);
    }

    public static Dictionary<ulong, ulong> Read(ReadOnlySpan<byte> payload)
    {
        var stamps = new Dictionary<ulong, ulong>();
        for (; payload.Length >= EntrySize; payload = payload[EntrySize..])
            stamps[BinaryPrimitives.ReadUInt64LittleEndian(payload)] = BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]);
        return stamps;
    }
}
