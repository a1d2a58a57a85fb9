using System.Buffers.Binary;
using System.Numerics;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// MD5 (RFC 1321) between two blocks: what HMAC-MD5 needs of a key, and what other programs store of one. The runtime's MD5 begins at the
/// beginning only.
/// </summary>
internal readonly record struct Md5State(uint A, uint B, uint C, uint D)
{
    public const int Size = 16;
    public const int BlockOctets = 64;

    private static readonly int[] Shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

    private static readonly uint[] Sines = [.. Enumerable.Range(1, 64).Select(static i => (uint)(Math.Abs(Math.Sin(i)) * 4294967296.0))];

    /// <summary>RFC 1321 §3.3.</summary>
    public static Md5State Start { get; } = new(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);

    public static Md5State Read(ReadOnlySpan<byte> octets) => new(Word(octets, 0), Word(octets, 1), Word(octets, 2), Word(octets, 3));

    public void Write(Span<byte> octets)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(octets, A);
        BinaryPrimitives.WriteUInt32LittleEndian(octets[4..], B);
        BinaryPrimitives.WriteUInt32LittleEndian(octets[8..], C);
        BinaryPrimitives.WriteUInt32LittleEndian(octets[12..], D);
    }

    /// <summary>After one more block of 64 octets (RFC 1321 §3.4).</summary>
    public Md5State After(ReadOnlySpan<byte> block)
    {
        var (a, b, c, d) = (A, B, C, D);
        for (var i = 0; i < 64; i++)
        {
            var (mixed, at) = (i / 16) switch
            {
                0 => ((b & c) | (~b & d), i),
                1 => ((d & b) | (~d & c), ((5 * i) + 1) % 16),
                2 => (b ^ c ^ d, ((3 * i) + 5) % 16),
                _ => (c ^ (b | ~d), 7 * i % 16),
            };
            (a, d, c, b) = (d, c, b, b + BitOperations.RotateLeft(a + mixed + Sines[i] + Word(block, at), Shifts[(i / 16 * 4) + (i % 4)]));
        }

        return new(A + a, B + b, C + c, D + d);
    }

    /// <summary>The digest of one block that has gone before and <paramref name="message"/>.</summary>
    public byte[] Finish(ReadOnlySpan<byte> message)
    {
        var padded = new byte[(message.Length + 8 + BlockOctets) / BlockOctets * BlockOctets];
        message.CopyTo(padded);
        padded[message.Length] = 0x80;
        BinaryPrimitives.WriteInt64LittleEndian(padded.AsSpan(padded.Length - 8), (message.Length + (long)BlockOctets) * 8);
        var state = this;
        for (var at = 0; at < padded.Length; at += BlockOctets)
            state = state.After(padded.AsSpan(at, BlockOctets));
        var digest = new byte[Size];
        state.Write(digest);
        return digest;
    }

    private static uint Word(ReadOnlySpan<byte> octets, int index) => BinaryPrimitives.ReadUInt32LittleEndian(octets[(index * 4)..]);
}
