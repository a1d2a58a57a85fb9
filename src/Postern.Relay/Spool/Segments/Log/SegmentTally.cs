using System.Numerics;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>How many records a segment has, and one checksum over the checksums of all their headers, in order.</summary>
internal readonly record struct SegmentTally(int Count, uint Crc)
{
    public SegmentTally With(uint headerCrc) => new(Count + 1, BitOperations.Crc32C(Crc, headerCrc));
}
