using System.Diagnostics;

namespace Postern.Fuzz;

/// <summary>One target, from its seeds to the end of its time; stops at the first finding.</summary>
internal sealed class Campaign(ITarget target, Watchdog watchdog, ulong seed)
{
    /// <summary>How often the clock is read.</summary>
    private const int Round = 64;

    /// <summary>What may be alive at the end beyond what was alive once the corpus had filled.</summary>
    private const long MaxGrowthOctets = 24L * 1024 * 1024;

    private readonly byte[][] seeds = [.. target.Seeds];
    private readonly Corpus corpus = new([.. target.Seeds, .. target.TakesTranscripts ? Seeds.Transcripts.Select(static t => t.Octets) : []]);
    private Draw draw = new(seed);
    private long began = Stopwatch.GetTimestamp();

    public long Inputs { get; private set; }

    public int Behaviours => corpus.Behaviours;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(began);

    /// <summary>What was alive after a quarter and at the end, in octets.</summary>
    public (long Early, long Late) Memory { get; private set; }

    /// <summary>Null when nothing was found.</summary>
    public async Task<Finding?> RunAsync(TimeSpan time, long? inputs)
    {
        var mutator = new Mutator(corpus, target.MaxOctets, target.Dictionary);
        began = Stopwatch.GetTimestamp();
        foreach (var whole in seeds)
        {
            if (await TryAsync(whole) is { } finding)
                return finding;
        }

        if (target.Reached?.Missing.FirstOrDefault() is { } missing)
            return new Finding(target.Name, [], $"the seeds do not reach '{missing}': the target looks at less than it says");

        var early = 0L;
        while (!IsOver(time, inputs, share: 1))
        {
            if (early == 0 && IsOver(time, inputs, share: 4))
                early = GC.GetTotalMemory(forceFullCollection: true);
            for (var i = 0; i < Round; i++)
            {
                var input = mutator.Make(ref draw);
                if (await TryAsync(input) is { } finding)
                    return finding;
            }
        }

        var late = GC.GetTotalMemory(forceFullCollection: true);
        Memory = (early, late);
        return early > 0 && late - early > MaxGrowthOctets
            ? new Finding(target.Name, [], $"memory grew from {early} to {late} octets over {Inputs} inputs")
            : null;
    }

    /// <summary>Runs one input and keeps it where something new happened.</summary>
    private async ValueTask<Finding?> TryAsync(ReadOnlyMemory<byte> input)
    {
        watchdog.Begin(target.Name, input);
        try
        {
            var signal = await target.RunAsync(input);
            Inputs++;
            if (corpus.IsNew(signal))
                corpus.Keep(input.Span, ref draw);
            return null;
        }
        catch (Exception e)
        {
            return await new Shrinker(target).ShrinkAsync(input.ToArray(), e);
        }
        finally
        {
            watchdog.End();
        }
    }

    private bool IsOver(TimeSpan time, long? inputs, int share) => inputs is { } bound ? Inputs >= bound / share : Elapsed >= time / share;
}
