using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>
/// Sends a copy to one address more, whom no recipient and no report sees. The rules behind it decide whether the message is taken.
/// </summary>
internal sealed class Bcc : IRelayRule
{
    private readonly Mailbox? to;

    public Bcc()
    {
    }

    private Bcc(Mailbox to) => this.to = to;

    public string Name => "bcc";

    public string Doc => "pass, and one recipient more gets the message, whom no report names";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`bcc` in a list of rules: one recipient more, whom nobody sees; the next rule decides whether it is taken.";

    public string Shorthand => "to";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new Bcc(arguments.Required("to", ArgumentKinds.Address, "Who gets it."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Pass($"to {to}") { Effect = new MessageEffect.Copy(to!) });
}
