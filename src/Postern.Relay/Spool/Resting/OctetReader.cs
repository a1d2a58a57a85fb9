using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Resting;

/// <summary>Reads what <see cref="OctetWriter"/> wrote, in the same order.</summary>
internal ref struct OctetReader(ReadOnlySpan<byte> octets)
{
    private const int More = 0x80;
    private const int Bits = 7;

    private ReadOnlySpan<byte> rest = octets;

    /// <summary>What is not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => rest;

    public byte Octet() => Take(1)[0];

    public ulong Number()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += Bits)
        {
            var octet = Octet();
            value |= (ulong)(octet & (More - 1)) << shift;
            if (octet < More)
                return value;
        }
    }

    public int Count() => (int)Number();

    public DateTimeOffset Time()
    {
        var ticks = BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));
        var time = new DateTimeOffset((long)(ticks & ~OctetWriter.HasOffset), TimeSpan.Zero);
        return (ticks & OctetWriter.HasOffset) == 0
            ? time
            : time.ToOffset(TimeSpan.FromMinutes(BinaryPrimitives.ReadInt16LittleEndian(Take(sizeof(short)))));
    }

    public QueueId Id() => new(BinaryPrimitives.ReadUInt128LittleEndian(Take(16)));

    public string Text() => Encoding.UTF8.GetString(Take(Count()));

    public ReadOnlySpan<byte> Utf8() => Take(Count());

    public ImmutableArray<int> Numbers()
    {
        var values = ImmutableArray.CreateBuilder<int>(Count());
        while (values.Count < values.Capacity)
            values.Add(Count());
        return values.MoveToImmutable();
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}
