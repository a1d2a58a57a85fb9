namespace Postern.Relay.Policy.Rules;

/// <summary>Refuses for good whatever comes to it, in the words of the operator: the end of a list, or of one that has a name.</summary>
internal sealed class Reject : IRelayRule
{
    private readonly OwnReply reply = OwnReply.None;

    public Reject()
    {
    }

    private Reject(OwnReply reply) => this.reply = reply;

    public const string Word = "reject";

    public string Name => Word;

    public string Doc => "refuse (554): all that come to it, in own words: `{ reject: { text: Only partners here, code: 550 } }`";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc => "`reject` in a list of rules: 554 for all that come to it. Short: `{ reject: in these words }`.";

    public string Shorthand => "text";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new Reject(OwnReply.Read(arguments, Refusals.Refused));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Refuse(reply.Of(Refusals.Refused), "all that come to it", Remedies.TakeOut(this)));
}
