using System.Buffers.Binary;
using System.Numerics;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>The start of a segment file, written twice so that one damaged copy costs nothing (docs/spool-format.md).</summary>
/// <param name="Id">Also the file's name; grows with every segment and is never given twice while a record may name it.</param>
/// <param name="Stamp">Random, new for every life of the file; every record repeats it.</param>
/// <param name="Previous">The segment that was the newest before; null for the first, and in format 1.</param>
internal readonly record struct SegmentHeader(uint Version, ulong Id, ulong Stamp, SegmentEnd? Previous = null)
{
    public const int CopySize = 64;
    public const int Copies = 2;
    public const int Size = CopySize * Copies;
    public const uint CurrentVersion = 2;

    /// <summary>Without footers, lists of segments and synced offsets.</summary>
    public const uint UnchainedVersion = 1;

    private const int VersionAt = 8;
    private const int IdAt = 16;
    private const int StampAt = 24;
    private const int PreviousIdAt = 32;
    private const int PreviousStampAt = 40;
    private const int PreviousEndAt = 48;
    private const int PreviousCountAt = 52;
    private const int PreviousCrcAt = 56;
    private const int CrcAt = 60;

    private static ReadOnlySpan<byte> Magic => "POSTSEG\n"u8;

    /// <summary>Both copies.</summary>
    public void Write(Span<byte> octets)
    {
        octets[..Size].Clear();
        Magic.CopyTo(octets);
        BinaryPrimitives.WriteUInt32LittleEndian(octets[VersionAt..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(octets[IdAt..], Id);
        BinaryPrimitives.WriteUInt64LittleEndian(octets[StampAt..], Stamp);
        if (Previous is { } previous)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(octets[PreviousIdAt..], previous.Id);
            BinaryPrimitives.WriteUInt64LittleEndian(octets[PreviousStampAt..], previous.Stamp);
            BinaryPrimitives.WriteUInt32LittleEndian(octets[PreviousEndAt..], (uint)(previous.End / RecordHeader.Alignment));
            BinaryPrimitives.WriteInt32LittleEndian(octets[PreviousCountAt..], previous.Tally.Count);
            BinaryPrimitives.WriteUInt32LittleEndian(octets[PreviousCrcAt..], previous.Tally.Crc);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(octets[CrcAt..], Crc32C.Of(octets[..CrcAt]));
        octets[..CopySize].CopyTo(octets[CopySize..]);
    }

    /// <summary>Reads one copy.</summary>
    public static SegmentHeader? Read(ReadOnlySpan<byte> octets)
    {
        if (octets.Length < CopySize || !octets.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(octets[CrcAt..]) != Crc32C.Of(octets[..CrcAt]))
            return null;
        return new SegmentHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(octets[VersionAt..]),
            BinaryPrimitives.ReadUInt64LittleEndian(octets[IdAt..]),
            BinaryPrimitives.ReadUInt64LittleEndian(octets[StampAt..]),
            ReadPrevious(octets));
    }

    private static SegmentEnd? ReadPrevious(ReadOnlySpan<byte> octets) =>
        BinaryPrimitives.ReadUInt64LittleEndian(octets[PreviousIdAt..]) is not 0 and var id
            ? new SegmentEnd(
                id,
                BinaryPrimitives.ReadUInt64LittleEndian(octets[PreviousStampAt..]),
                (long)BinaryPrimitives.ReadUInt32LittleEndian(octets[PreviousEndAt..]) * RecordHeader.Alignment,
                new SegmentTally(
                    BinaryPrimitives.ReadInt32LittleEndian(octets[PreviousCountAt..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(octets[PreviousCrcAt..])))
            : null;
}

/// <summary>What the header of a segment says of the one before: it was synced whole, and this is all that it held.</summary>
/// <param name="End">Where its records end, in octets from the start of the file; its footer, where it has one, stands there.</param>
internal readonly record struct SegmentEnd(ulong Id, ulong Stamp, long End, SegmentTally Tally);

/// <summary>How many records a segment has, and one checksum over the checksums of all their headers, in order.</summary>
internal readonly record struct SegmentTally(int Count, uint Crc)
{
    public SegmentTally With(uint headerCrc) => new(Count + 1, BitOperations.Crc32C(Crc, headerCrc));
}
