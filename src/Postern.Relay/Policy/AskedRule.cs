using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Policy;

/// <summary>A rule that was asked, and its answer; <paramref name="Rule"/> is the rule's name.</summary>
internal readonly record struct AskedRule(string Rule, RuleAnswer Answer)
{
    /// <summary>The step as the decision keeps it. A remedy matters only where the decision is a refusal; one that cannot be found out now is left out.</summary>
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
