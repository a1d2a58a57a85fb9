using System.Buffers.Binary;
using System.Text;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Resting;

/// <summary>Gathers what a message is at rest; <see cref="OctetReader"/> reads it. Used again for the next one.</summary>
internal sealed class OctetWriter
{
    /// <summary>The bit of a time that says that its offset follows; no time in ticks needs it.</summary>
    public const ulong HasOffset = 1UL << 63;

    private const int More = 0x80;
    private const int Bits = 7;
    private const int LargestNumber = 10;
    private const int LongestKept = 1 << 16;

    private byte[] octets = new byte[512];
    private int length;

    /// <summary>What was written since <see cref="Clear"/>; good until something else is.</summary>
    public ReadOnlySpan<byte> Written => octets.AsSpan(0, length);

    public void Clear()
    {
        length = 0;
        if (octets.Length > LongestKept)
            octets = new byte[512];
    }

    public void Octet(byte value) => Room(1)[0] = value;

    /// <summary>The small ones in one octet.</summary>
    public void Number(ulong value)
    {
        var room = Room(LargestNumber);
        var count = 0;
        for (; value >= More; value >>= Bits)
            room[count++] = (byte)(value | More);
        room[count++] = (byte)value;
        length -= LargestNumber - count;
    }

    public void Number(int value) => Number((ulong)value);

    public void Time(DateTimeOffset value)
    {
        var minutes = value.TotalOffsetMinutes;
        BinaryPrimitives.WriteUInt64LittleEndian(Room(sizeof(ulong)), (ulong)value.UtcTicks | (minutes == 0 ? 0 : HasOffset));
        if (minutes != 0)
            BinaryPrimitives.WriteInt16LittleEndian(Room(sizeof(short)), (short)minutes);
    }

    public void Id(QueueId value) => BinaryPrimitives.WriteUInt128LittleEndian(Room(16), value.Value);

    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        Number(count);
        Encoding.UTF8.GetBytes(value, Room(count));
    }

    public void Numbers(ReadOnlySpan<int> values)
    {
        Number(values.Length);
        foreach (var value in values)
            Number(value);
    }

    public void Copy(ReadOnlySpan<byte> value) => value.CopyTo(Room(value.Length));

    private Span<byte> Room(int count)
    {
        if (octets.Length - length < count)
            Array.Resize(ref octets, Math.Max(octets.Length * 2, length + count));
        length += count;
        return octets.AsSpan(length - count, count);
    }
}
