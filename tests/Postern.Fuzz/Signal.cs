namespace Postern.Fuzz;

/// <summary>A running hash of what an input made happen (FNV-1a): equal behaviour, equal value.</summary>
internal struct Signal()
{
    public ulong Value { get; private set; } = 14695981039346656037;

    public void Add(int fact) => Value = (Value ^ (uint)fact) * 1099511628211;

    public void Add(bool fact) => Add(fact ? 1 : 2);

    public void Add(ReadOnlySpan<byte> octets)
    {
        foreach (var octet in octets)
            Value = (Value ^ octet) * 1099511628211;
    }

    /// <summary>A length, coarsely: its number of bits.</summary>
    public void AddSize(long size) => Add(64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)size));
}
