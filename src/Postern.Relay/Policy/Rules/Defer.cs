namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses for now: the client comes again whatever comes to it, in the words of the operator: the end of a list, or of one that has a
/// name.
/// </summary>
internal sealed class Defer : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public Defer()
    {
    }

    private Defer(OwnReply reply) => this.reply = reply;

    public string Name => "defer";

    public string Doc => "refuse (450): all that come to it, for now";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc => "`defer` in a list of rules: 450 for all that come to it. Short: `{ defer: in these words }`.";

    public string Shorthand => "text";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new Defer(OwnReply.Read(arguments, Refusals.Deferred));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Refuse(reply.Of(Refusals.Deferred), "all that come to it", Remedies.TakeOut(this)));
}
