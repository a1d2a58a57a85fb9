using System.Buffers.Binary;

namespace Postern.Relay.Spool.Segments;

/// <summary>The start of a segment file, written twice so that one damaged copy costs nothing (docs/spool-format.md).</summary>
/// <param name="Id">Also the file's name; grows with every segment and is never given twice while a record may name it.</param>
/// <param name="Stamp">Random, new for every life of the file; every record repeats it.</param>
internal readonly record struct SegmentHeader(uint Version, ulong Id, ulong Stamp)
{
    public const int CopySize = 64;
    public const int Copies = 2;
    public const int Size = CopySize * Copies;
    public const uint CurrentVersion = 1;

    private const int VersionAt = 8;
    private const int IdAt = 16;
    private const int StampAt = 24;
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
            BinaryPrimitives.ReadUInt64LittleEndian(octets[StampAt..]));
    }
}
