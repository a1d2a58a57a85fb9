using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy;

/// <summary>A rule that was asked, and its answer; <paramref name="Rule"/> is the rule's name.</summary>
internal readonly record struct AskedRule(string Rule, RuleAnswer Answer)
{
    /// <summary>
    /// The step as the decision keeps it. A remedy matters only where the decision is a refusal; one that cannot be found out now is left
    /// out.
    /// </summary>
    public async ValueTask<RuleStep> ToStepAsync(RuleContext context, bool withRemedy, CancellationToken ct)
    {
        string? remedy = null;
        try
        {
            if (withRemedy && Answer.Remedy is { } ask)
                remedy = await ask(context, ct);
        }
        catch (DirectoryUnavailableException)
        {
            // The refusal is made already, and it is no less true.
        }

        return new(Rule, Answer.Saw, Answer.Said, remedy);
    }
}

/// <summary>What the rules of a stage said, and those asked before them.</summary>
/// <param name="Decider">The last one asked, where it did not pass; null where the list came to its end.</param>
internal sealed record Judged(RuleStage Stage, RuleContext Context, ImmutableArray<AskedRule> Asked, AskedRule? Decider)
{
    public bool IsRefusal => Decider is { Answer: RuleAnswer.Refuse };
}

/// <summary>
/// What the stages before the recipient found, kept on the session until its recipients are decided: their decisions show the whole chain.
/// Only for the policy that found it, and only for that sender.
/// </summary>
internal sealed record SenderOutcome(RelayPolicy Policy, EnvelopeFacts Facts, ReversePath Sender, ImmutableArray<AskedRule> Asked)
{
    /// <summary>The references of the decisions that permitted its recipients, each once; no more than an event names.</summary>
    public ImmutableArray<string> Refs { get; private set; } = [];

    public void Note(string reference)
    {
        // Repeats have one reference in common, and come one behind the other.
        if (Refs.Length < AuditEvents.MostRecipients && (Refs.Length == 0 || !string.Equals(Refs[^1], reference, StringComparison.Ordinal)))
            Refs = Refs.Add(reference);
    }
}
