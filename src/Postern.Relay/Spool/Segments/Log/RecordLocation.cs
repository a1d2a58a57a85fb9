namespace Postern.Relay.Spool.Segments.Log;

/// <summary>Where a record stands, and what its payload must be.</summary>
internal readonly record struct RecordLocation(Segment Segment, long Offset, int Length, uint Crc)
{
    /// <summary>Octets it takes in the segment.</summary>
    public int Stride => RecordHeader.Size + RecordHeader.Pad(Length);
}
