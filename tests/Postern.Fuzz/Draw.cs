namespace Postern.Fuzz;

/// <summary>Cheap random numbers that a seed repeats (xorshift64*).</summary>
internal struct Draw(ulong seed)
{
    private ulong state = seed == 0 ? 0x9E3779B97F4A7C15 : seed;

    /// <summary>Numbers that depend on an input alone: how it is cut into pieces, for one.</summary>
    public static Draw From(ReadOnlySpan<byte> input)
    {
        var signal = new Signal();
        signal.Add(input);
        return new Draw(signal.Value);
    }

    public ulong Next()
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 0x2545F4914F6CDD1D;
    }

    /// <summary>From 0 to below <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)((Next() >> 33) % (uint)bound);

    /// <summary>Numbers from 1 to <paramref name="largest"/>, the same ones for the same state.</summary>
    public readonly Func<int> Sizes(int largest)
    {
        var own = this;
        return () => 1 + own.Below(Math.Max(1, largest));
    }

    public bool OneIn(int count) => Below(count) == 0;
}
