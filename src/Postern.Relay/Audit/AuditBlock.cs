using System.Buffers.Binary;
using System.Numerics;

namespace Postern.Relay.Audit;

/// <summary>
/// What the index says of one block of a log file: where it stands, which time it is of, and, by a Bloom filter, which keys may be in it.
/// As octets: length, checksum, start, end, first and last time (ticks), filter.
/// </summary>
/// <param name="Start">Offset of its first line.</param>
/// <param name="End">Offset behind its last line.</param>
internal sealed record AuditBlock(long Start, long End, long FirstTicks, long LastTicks, byte[] Filter)
{
    /// <summary>A block ends with the first line that makes it so long.</summary>
    public const int Length = 256 * 1024;

    private const int BitsPerKey = 10;
    private const int Probes = 7;
    private const int FieldsLength = 40;

    /// <summary>Longer ones are damage: there are not so many keys in a block.</summary>
    private const int MostFilter = 1 << 20;

    public static AuditBlock Of(long start, long end, long firstTicks, long lastTicks, HashSet<ulong> keys)
    {
        var filter = new byte[BitOperations.RoundUpToPowerOf2((uint)Math.Max(8, keys.Count * BitsPerKey / 8))];
        // A power of two above would be up to twice as much as is needed: three quarters of it do as well.
        if (filter.Length * 3L / 4 * 8 >= (long)keys.Count * BitsPerKey)
            filter = new byte[filter.Length * 3 / 4];
        foreach (var key in keys)
        {
            for (var probe = 0; probe < Probes; probe++)
            {
                var bit = BitOf(key, probe, filter.Length);
                filter[bit / 8] |= (byte)(1 << (int)(bit % 8));
            }
        }

        return new AuditBlock(start, end, firstTicks, lastTicks, filter);
    }

    /// <summary>False: it is certainly not in the block.</summary>
    public bool MayHave(ulong key)
    {
        for (var probe = 0; probe < Probes; probe++)
        {
            var bit = BitOf(key, probe, Filter.Length);
            if ((Filter[bit / 8] & (1 << (int)(bit % 8))) == 0)
                return false;
        }

        return true;
    }

    public byte[] ToOctets()
    {
        var octets = new byte[FieldsLength + Filter.Length];
        BinaryPrimitives.WriteInt32LittleEndian(octets, octets.Length);
        BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(8), Start);
        BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(16), End);
        BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(24), FirstTicks);
        BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(32), LastTicks);
        Filter.CopyTo(octets, FieldsLength);
        BinaryPrimitives.WriteUInt32LittleEndian(octets.AsSpan(4), ChecksumOf(octets.AsSpan(8)));
        return octets;
    }

    /// <summary>Null where there is none whole: what is behind cannot be read either.</summary>
    public static AuditBlock? Read(ReadOnlySpan<byte> octets, out int length)
    {
        length = octets.Length < FieldsLength ? 0 : BinaryPrimitives.ReadInt32LittleEndian(octets);
        if (length is <= FieldsLength or > MostFilter || length > octets.Length)
            return null;
        var block = new AuditBlock(
            BinaryPrimitives.ReadInt64LittleEndian(octets[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(octets[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(octets[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(octets[32..]),
            octets[FieldsLength..length].ToArray());
        return BinaryPrimitives.ReadUInt32LittleEndian(octets[4..]) == ChecksumOf(octets[8..length])
            && block.Start >= 0
            && block.End > block.Start ? block : null;
    }

    /// <summary>Two halves of the key make as many positions as are wanted (Kirsch and Mitzenmacher).</summary>
    private static ulong BitOf(ulong key, int probe, int octets) => ((key >> 32) + ((ulong)probe * ((uint)key | 1))) % ((ulong)octets * 8);

    private static uint ChecksumOf(ReadOnlySpan<byte> octets)
    {
        var hash = 14695981039346656037;
        foreach (var octet in octets)
            hash = (hash ^ octet) * 1099511628211;
        return (uint)(hash ^ (hash >> 32));
    }
}
