namespace Postern.Relay.Spool.Segments.Log;

/// <summary>
/// A record ready to be written: its octets in one or two pieces, the first beginning with room for the header, the last ending
/// with the padding. The checksum is taken here, on the thread that made the record, and not on the committer's.
/// </summary>
internal readonly struct LogRecord
{
    private readonly uint crc;

    public LogRecord(RecordKind kind, Memory<byte> first, Memory<byte> second, int length)
    {
        Kind = kind;
        First = first;
        Second = second;
        Length = length;
        var payload = first.Span[RecordHeader.Size..];
        crc = second.IsEmpty ? Crc32C.Of(payload[..length]) : Crc32C.Of(payload, second.Span[..(length - payload.Length)]);
    }

    public RecordKind Kind { get; }

    public Memory<byte> First { get; }

    public ReadOnlyMemory<byte> Second { get; }

    /// <summary>Octets of the payload.</summary>
    public int Length { get; }

    public int Stride => RecordHeader.Size + RecordHeader.Pad(Length);

    /// <summary>Writes the header for its place in the log.</summary>
    /// <param name="synced">What of the segment is on the disk.</param>
    public RecordLocation PlaceAt(Segment segment, long offset, ulong order, long synced)
    {
        new RecordHeader(Kind, Length, crc, order, synced).Write(First.Span, segment.Stamp, offset);
        return new RecordLocation(segment, offset, Length, crc);
    }
}

/// <summary>Where a record stands, and what its payload must be.</summary>
internal readonly record struct RecordLocation(Segment Segment, long Offset, int Length, uint Crc)
{
    /// <summary>Octets it takes in the segment.</summary>
    public int Stride => RecordHeader.Size + RecordHeader.Pad(Length);
}
