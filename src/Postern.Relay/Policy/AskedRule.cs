using Postern.Relay.Audit;

namespace Postern.Relay.Policy;

/// <summary>A rule that was asked, and its answer; <paramref name="Rule"/> is the rule's name.</summary>
internal readonly record struct AskedRule(string Rule, RuleAnswer Answer)
{
    /// <summary>The step as the decision keeps it. A remedy matters only where the decision is a refusal.</summary>
    public RuleStep ToStep(RuleContext context, bool withRemedy) =>
        new(Rule, Answer.Saw, Answer.Said, withRemedy ? Answer.Remedy?.Invoke(context) : null);
}
