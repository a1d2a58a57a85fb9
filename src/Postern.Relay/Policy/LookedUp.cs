namespace Postern.Relay.Policy;

/// <summary>What DNS says of a name, as the answer of a rule that refuses what DNS does not know.</summary>
internal static class LookedUp
{
    /// <param name="unknown">The reply where it is not known.</param>
    /// <param name="unavailable">The reply where nobody answered.</param>
    public static RuleAnswer Answer(NameAnswer answer, Func<NameAnswer.Unknown, Refusal> unknown, Refusal unavailable, IRelayRule rule) =>
        answer switch
        {
            NameAnswer.Known => new RuleAnswer.Pass(answer.Saw),
            NameAnswer.Unknown no => new RuleAnswer.Refuse(unknown(no), answer.Saw, Remedies.TakeOut(rule)),
            _ => new RuleAnswer.Refuse(unavailable, answer.Saw, static (_, _) => new("mend delivery.dns: no resolver answers")),
        };
}
