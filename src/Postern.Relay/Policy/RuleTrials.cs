using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Postern.Relay.Policy;

/// <summary>How often rules on trial would have decided, since the configuration was loaded.</summary>
public sealed class RuleTrials
{
    private readonly ConcurrentDictionary<(RuleStage Stage, string Word), long> counts = [];

    /// <summary>In the order of stages and words.</summary>
    public ImmutableArray<TrialCount> Counts =>
        [.. counts.OrderBy(static c => c.Key.Stage).ThenBy(static c => c.Key.Word, StringComparer.Ordinal)
            .Select(static c => new TrialCount(c.Key.Stage.ToWord(), c.Key.Word, c.Value))];

    internal void Count(string word, RuleStage stage) => counts.AddOrUpdate((stage, word), 1, static (_, count) => count + 1);
}

/// <summary>How often a rule on trial would have decided.</summary>
/// <param name="Stage">As configuration and log write it.</param>
/// <param name="Word">As the list has it.</param>
public sealed record TrialCount(string Stage, string Word, long Count);
