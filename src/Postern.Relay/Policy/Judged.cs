using System.Collections.Immutable;

namespace Postern.Relay.Policy;

/// <summary>What the rules of a stage said, and those asked before them.</summary>
/// <param name="Decider">The last one asked, where it did not pass; null where the list came to its end.</param>
internal sealed record Judged(RuleStage Stage, RuleContext Context, ImmutableArray<AskedRule> Asked, AskedRule? Decider)
{
    public bool IsRefusal => Decider is { Answer: RuleAnswer.Refuse };
}
