using System.Buffers.Binary;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>
/// The 40 octets in front of every record (docs/spool-format.md). The segment's secret stamp and the record's own place are part
/// of it, so neither what an earlier life of the file left behind nor a record that somebody mailed to us can be taken for one of ours.
/// </summary>
/// <param name="Length">Octets of the payload, without the padding to a multiple of eight.</param>
/// <param name="Order">The arrival number of a message; 0 for other kinds.</param>
/// <param name="Synced">
/// All of the segment before this offset was on the disk when this record was made: what is missing there was lost later. 0 says
/// nothing. Means nothing in format 1.
/// </param>
internal readonly record struct RecordHeader(RecordKind Kind, int Length, uint PayloadCrc, ulong Order, long Synced = 0)
{
    public const int Size = 40;
    public const int Alignment = 8;

    private const int KindAt = 4;
    private const int LengthAt = 8;
    private const int PayloadCrcAt = 12;
    private const int StampAt = 16;
    private const int OrderAt = 24;
    private const int PlaceAt = 32;
    private const int HeaderCrcAt = 36;

    // The three octets behind the kind: how far before the record the synced part ends, in units of the alignment.
    private const int KindBits = 8;
    private const int UnsyncedUnknown = 0xFFFFFF;

    public static ReadOnlySpan<byte> Magic => "PREC"u8;

    /// <summary>Octets from the start of this record to the start of the next.</summary>
    public int Stride => Size + Pad(Length);

    public static int Pad(int length) => (length + Alignment - 1) & -Alignment;

    /// <summary>The checksum of a header that has been written or read.</summary>
    public static uint CrcOf(ReadOnlySpan<byte> octets) => BinaryPrimitives.ReadUInt32LittleEndian(octets[HeaderCrcAt..]);

    public void Write(Span<byte> octets, ulong stamp, long offset)
    {
        octets[..Size].Clear();
        Magic.CopyTo(octets);
        var unsynced = (int)Math.Min((offset - Synced) / Alignment, UnsyncedUnknown);
        BinaryPrimitives.WriteInt32LittleEndian(octets[KindAt..], (unsynced << KindBits) | (byte)Kind);
        BinaryPrimitives.WriteInt32LittleEndian(octets[LengthAt..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(octets[PayloadCrcAt..], PayloadCrc);
        BinaryPrimitives.WriteUInt64LittleEndian(octets[StampAt..], stamp);
        BinaryPrimitives.WriteUInt64LittleEndian(octets[OrderAt..], Order);
        BinaryPrimitives.WriteUInt32LittleEndian(octets[PlaceAt..], (uint)(offset / Alignment));
        BinaryPrimitives.WriteUInt32LittleEndian(octets[HeaderCrcAt..], Crc32C.Of(octets[..HeaderCrcAt]));
    }

    public static bool TryRead(ReadOnlySpan<byte> octets, ulong stamp, long offset, out RecordHeader header)
    {
        header = default;
        if (octets.Length < Size || !octets.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt64LittleEndian(octets[StampAt..]) != stamp
            || BinaryPrimitives.ReadUInt32LittleEndian(octets[PlaceAt..]) != (uint)(offset / Alignment)
            || BinaryPrimitives.ReadUInt32LittleEndian(octets[HeaderCrcAt..]) != Crc32C.Of(octets[..HeaderCrcAt]))
            return false;
        var unsynced = (int)(BinaryPrimitives.ReadUInt32LittleEndian(octets[KindAt..]) >> KindBits);
        header = new RecordHeader(
            (RecordKind)octets[KindAt],
            BinaryPrimitives.ReadInt32LittleEndian(octets[LengthAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(octets[PayloadCrcAt..]),
            BinaryPrimitives.ReadUInt64LittleEndian(octets[OrderAt..]),
            unsynced == UnsyncedUnknown ? 0 : offset - ((long)unsynced * Alignment));
        return header.Length >= 0;
    }
}
