using System.Buffers.Binary;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>
/// Lines by their names, in one block of octets: a million of them take little more than the file that they were read from. Names are
/// compared octet by octet. Written by one, then read by any number.
/// </summary>
internal sealed class AliasIndex
{
    /// <summary>Of an entry: octets of the name (2), the line (4), octets of the value (4).</summary>
    private const int Lead = 10;

    /// <summary>Where each entry begins in <see cref="block"/>, plus one; 0 is free. At most half are taken.</summary>
    private int[] slots = new int[64];

    private byte[] block = new byte[1024];
    private int filled;

    public int Count { get; private set; }

    /// <summary>Makes room for a file of that size, so that it need not be moved while it is read.</summary>
    public void Reserve(int octets)
    {
        if (octets > block.Length)
            Array.Resize(ref block, (int)Math.Min(Array.MaxLength, octets + (octets / 4L)));
    }

    /// <summary>The line that has the name already, which stays; 0 where there was none, and this one is taken.</summary>
    public int Add(ReadOnlySpan<byte> name, int line, ReadOnlySpan<byte> value)
    {
        if (TryFind(name, out var earlier, out _))
            return earlier;
        var size = Lead + name.Length + value.Length;
        if (block.Length - filled < size)
            Array.Resize(ref block, (int)Math.Min(Array.MaxLength, Math.Max(block.Length + (block.Length / 4L), (long)filled + size)));
        var entry = block.AsSpan(filled, size);
        BinaryPrimitives.WriteUInt16LittleEndian(entry, checked((ushort)name.Length));
        BinaryPrimitives.WriteInt32LittleEndian(entry[2..], line);
        BinaryPrimitives.WriteInt32LittleEndian(entry[6..], value.Length);
        name.CopyTo(entry[Lead..]);
        value.CopyTo(entry[(Lead + name.Length)..]);
        if (++Count * 2 > slots.Length)
            Grow();
        Put(filled, name);
        filled += size;
        return 0;
    }

    public bool TryFind(ReadOnlySpan<byte> name, out int line, out ReadOnlySpan<byte> value)
    {
        for (var slot = SlotOf(name); slots[slot] != 0; slot = (slot + 1) & (slots.Length - 1))
        {
            if (!NameAt(slots[slot] - 1).SequenceEqual(name))
                continue;
            var offset = slots[slot] - 1;
            line = LineAt(offset);
            value = block.AsSpan(offset + Lead + name.Length, ValueLengthAt(offset));
            return true;
        }

        line = 0;
        value = default;
        return false;
    }

    /// <summary>Gives back what was reserved for more, where that is much.</summary>
    public void Close()
    {
        if (block.Length - filled > block.Length / 4)
            Array.Resize(ref block, filled);
    }

    public Entries All() => new(this);

    private int SlotOf(ReadOnlySpan<byte> name)
    {
        // By a hash whose key is this process's own: whoever writes names cannot make them collide.
        var hash = default(HashCode);
        hash.AddBytes(name);
        return hash.ToHashCode() & (slots.Length - 1);
    }

    private void Put(int offset, ReadOnlySpan<byte> name)
    {
        var slot = SlotOf(name);
        while (slots[slot] != 0)
            slot = (slot + 1) & (slots.Length - 1);
        slots[slot] = offset + 1;
    }

    private void Grow()
    {
        slots = new int[slots.Length * 2];
        for (var at = 0; at < filled; at = NextOf(at))
            Put(at, NameAt(at));
    }

    private ReadOnlySpan<byte> NameAt(int offset) =>
        block.AsSpan(offset + Lead, BinaryPrimitives.ReadUInt16LittleEndian(block.AsSpan(offset)));

    private int LineAt(int offset) => BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(offset + 2));

    private int ValueLengthAt(int offset) => BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(offset + 6));

    private int NextOf(int offset) => offset + Lead + NameAt(offset).Length + ValueLengthAt(offset);

    /// <summary>Each entry, in the order of the file.</summary>
    public ref struct Entries(AliasIndex index)
    {
        private int next;
        private int at;

        public readonly ReadOnlySpan<byte> Name => index.NameAt(at);

        public readonly int Line => index.LineAt(at);

        public bool TryNext()
        {
            if (next >= index.filled)
                return false;
            at = next;
            next = index.NextOf(at);
            return true;
        }
    }
}
