using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>
/// Gives the envelope another sender, who hears of failures, as devices write there what their maker thought of. The rules behind it still
/// judge the one that the client named.
/// </summary>
internal sealed class RewriteSender : IRelayRule
{
    private readonly Mailbox? to;

    public RewriteSender()
    {
    }

    private RewriteSender(Mailbox to) => this.to = to;

    public string Name => "rewrite_sender";

    public string Doc => "pass, and this address becomes the sender of the envelope; a null sender stays";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`rewrite_sender` in a list of rules: another sender of the envelope; the rules behind it still judge the one that the client "
            + "named.";

    public string Shorthand => "address";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RewriteSender(arguments.Required("address", ArgumentKinds.AsciiAddress, "Who hears of failures."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Pass($"the sender becomes {to}") { Effect = new MessageEffect.Sender(to!) });
}
