using System.Buffers.Binary;
using System.Numerics;

namespace Postern.Relay.Spool.Segments.Log;

/// <summary>CRC-32C (RFC 9260 appendix A), by the processor's own instruction where it has one.</summary>
internal static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> octets) => Finish(Add(Begin, octets));

    public static uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) => Finish(Add(Add(Begin, first), second));

    private const uint Begin = uint.MaxValue;

    /// <summary>Of octets that come in parts.</summary>
    internal struct Running()
    {
        private uint crc = Begin;

        public readonly uint Value => Finish(crc);

        public void Add(ReadOnlySpan<byte> octets) => crc = Crc32C.Add(crc, octets);
    }

    private static uint Finish(uint crc) => ~crc;

    private static uint Add(uint crc, ReadOnlySpan<byte> octets)
    {
        while (octets.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(octets));
            octets = octets[sizeof(ulong)..];
        }

        foreach (var octet in octets)
            crc = BitOperations.Crc32C(crc, octet);
        return crc;
    }
}
