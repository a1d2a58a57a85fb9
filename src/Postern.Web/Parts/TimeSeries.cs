using System.Collections.Immutable;

namespace Postern.Web.Parts;

/// <summary>What happened in each of a row of equal spans of time.</summary>
/// <param name="Begin">Of the first span.</param>
/// <param name="Step">The length of one.</param>
/// <param name="Series">All of one length.</param>
public sealed record TimeSeries(DateTimeOffset Begin, TimeSpan Step, ImmutableArray<TimeSeries.Counts> Series)
{
    /// <param name="Name">What was counted.</param>
    public sealed record Counts(string Name, Tone Tone, ImmutableArray<int> Values);

    public int Length => Series.IsEmpty ? 0 : Series[0].Values.Length;

    public DateTimeOffset At(int span) => Begin + (Step * span);

    public long TotalAt(int span) => Series.Sum(series => (long)series.Values[span]);
}
