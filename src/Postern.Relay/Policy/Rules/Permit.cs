namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits whatever comes to it: the end of a list, or of one that has a name. In a list of recipients it makes an open relay.
/// </summary>
internal sealed class Permit : IRelayRule
{
    public const string Word = "permit";

    public string Name => Word;

    public string Doc =>
        "permit: all that come to it, at the end of a list. In `recipient` it makes an open relay unless rules before it "
            + "turn away";

    public RuleStage Stages => RelayRules.EveryStage;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Permit("all that come to it"));
}
