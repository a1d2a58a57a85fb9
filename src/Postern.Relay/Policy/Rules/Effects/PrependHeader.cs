namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>Writes a field before those that the message came with. The rules behind it decide whether the message is taken.</summary>
internal sealed class PrependHeader : IRelayRule
{
    private readonly string field = string.Empty;

    public PrependHeader()
    {
    }

    private PrependHeader(string field) => this.field = field;

    public string Name => "prepend_header";

    public string Doc => "pass, and the field is written before those that the message came with";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`prepend_header` in a list of rules: a field before those of the message; the next rule decides whether it is taken.";

    public string Shorthand => "field";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new PrependHeader(arguments.Required("field", ArgumentKinds.HeaderField, "Name, colon and text, in US-ASCII."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Pass(field) { Effect = new MessageEffect.Prepend(field) });
}
