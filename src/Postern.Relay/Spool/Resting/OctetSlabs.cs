namespace Postern.Relay.Spool.Resting;

/// <summary>
/// Octets of very many waiting messages in few large arrays, which the garbage collector neither looks into nor moves. An array has cells
/// of one size, so that what goes leaves room for the next; one of which nothing is left is given back. Guarded by the spool's gate: a
/// cell that is freed is another message's at once.
/// </summary>
internal sealed class OctetSlabs
{
    private const int Step = 8;
    private const int LargestCell = 1024;
    private const int SlabOctets = 64 << 10;

    /// <summary>By size of their cells: the slabs that have room.</summary>
    private readonly List<Slab>[] open = [.. Enumerable.Range(0, (LargestCell / Step) + 1).Select(static _ => new List<Slab>())];

    /// <summary>Octets of all arrays.</summary>
    public long Octets { get; private set; }

    /// <summary>Copies <paramref name="octets"/> into a cell, which is theirs until <see cref="Cell.Free"/>.</summary>
    public Cell Add(ReadOnlySpan<byte> octets)
    {
        var steps = Math.Max(1, (octets.Length + Step - 1) / Step);
        if (octets.Length > LargestCell)
            return new Slab(this, steps * Step, cells: 1).Add(octets);
        var slabs = open[steps];
        if (slabs.Count == 0)
            slabs.Add(new Slab(this, steps * Step, SlabOctets / (steps * Step)));
        var slab = slabs[^1];
        var cell = slab.Add(octets);
        if (slab.IsFull)
            slabs.RemoveAt(slabs.Count - 1);
        return cell;
    }

    /// <summary>Where the octets of one message are; none by default.</summary>
    public readonly struct Cell
    {
        private readonly Slab? slab;
        private readonly int at;

        internal Cell(Slab slab, int at) => (this.slab, this.at) = (slab, at);

        public bool IsThere => slab is not null;

        /// <summary>What was added, and what fills the cell behind it. Not to be used once the gate is left.</summary>
        public ReadOnlySpan<byte> Octets => slab is null ? default : slab.At(at);

        /// <summary>Once, by whoever keeps it.</summary>
        public void Free() => slab?.Free(at);
    }

    internal sealed class Slab
    {
        private const int None = -1;

        private readonly OctetSlabs slabs;
        private readonly byte[] octets;
        private readonly int size;
        private readonly int cells;
        private int used;

        // So many cells from the first on were ever used; those of them that are free form a chain, each naming the next.
        private int begun;
        private int free = None;

        public Slab(OctetSlabs slabs, int size, int cells)
        {
            (this.slabs, this.size, this.cells) = (slabs, size, cells);
            octets = GC.AllocateUninitializedArray<byte>(size * cells, pinned: true);
            slabs.Octets += octets.Length;
        }

        public bool IsFull => used == cells;

        public ReadOnlySpan<byte> At(int at) => octets.AsSpan(at, size);

        public Cell Add(ReadOnlySpan<byte> content)
        {
            var at = free;
            if (at == None)
                at = begun++ * size;
            else
                free = BitConverter.ToInt32(octets, at);
            used++;
            content.CopyTo(octets.AsSpan(at, size));
            return new Cell(this, at);
        }

        public void Free(int at)
        {
            BitConverter.TryWriteBytes(octets.AsSpan(at, size), free);
            free = at;
            if (cells == 1)
            {
                slabs.Octets -= octets.Length;
                return;
            }

            var open = slabs.open[size / Step];
            if (IsFull)
                open.Add(this);
            // One that is empty stays where it is the only one with room: the next message may come at once.
            if (--used == 0 && open.Count > 1)
            {
                open.Remove(this);
                slabs.Octets -= octets.Length;
            }
        }
    }
}
