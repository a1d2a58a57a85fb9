namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>
/// Has the message wait in the queue until an operator looks at it and releases it. The rules behind it decide whether it is taken.
/// </summary>
internal sealed class Hold : IRelayRule
{
    private const string NoReason = "a rule holds it";

    private readonly string reason = NoReason;

    public Hold()
    {
    }

    private Hold(string reason) => this.reason = reason;

    public string Name => "hold";

    public string Doc => "pass, and the message waits in the queue until `postern queue release`";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`hold` in a list of rules: the message waits until `postern queue release`; the next rule decides whether it is taken.";

    public string Shorthand => "reason";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new Hold(arguments.Value("reason", ArgumentKinds.Line, NoReason, "none", "Why; shown in the queue and the log."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Pass($"the message waits: {reason}") { Effect = new MessageEffect.Hold(reason) });
}
