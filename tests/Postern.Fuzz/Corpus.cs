namespace Postern.Fuzz;

/// <summary>The inputs worth mutating: the seeds, and those that made something new happen. Bounded; a new one then takes the place of an older one.</summary>
internal sealed class Corpus
{
    private const int MaxInputs = 2048;
    private const int MaxSignals = 200_000;

    private readonly List<byte[]> inputs = [];
    private readonly HashSet<ulong> signals = [];
    private readonly int seeds;

    public Corpus(IEnumerable<byte[]> seeds)
    {
        inputs.AddRange(seeds);
        if (inputs.Count == 0)
            inputs.Add([]);
        this.seeds = inputs.Count;
    }

    public int Count => inputs.Count;

    public int Behaviours => signals.Count;

    /// <summary>A seed every other time: most of what makes something new is a wrong turn early on, and would crowd out what gets far.</summary>
    public byte[] Pick(ref Draw draw) => inputs[draw.Below(draw.OneIn(2) ? seeds : inputs.Count)];

    public bool IsNew(ulong signal) => signals.Count < MaxSignals && signals.Add(signal);

    public void Keep(ReadOnlySpan<byte> input, ref Draw draw)
    {
        if (inputs.Count < seeds + MaxInputs)
            inputs.Add(input.ToArray());
        else
            inputs[seeds + draw.Below(MaxInputs)] = input.ToArray();
    }
}
