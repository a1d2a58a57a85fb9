using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Effects;

/// <summary>
/// Sends the message to one address, and to none of those that the client named. The rules behind it decide whether it is taken.
/// </summary>
internal sealed class Redirect : IRelayRule
{
    private readonly Mailbox? to;

    public Redirect()
    {
    }

    private Redirect(Mailbox to) => this.to = to;

    public string Name => "redirect";

    public string Doc => "pass, and the message goes to this address and to none of those that the client named";

    public RuleStage Stages => RelayRules.EveryStage;

    public string ArgumentsDoc =>
        "`redirect` in a list of rules: the message goes to this address and to no other; the next rule decides whether it is taken.";

    public string Shorthand => "to";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new Redirect(arguments.Required("to", ArgumentKinds.Address, "Who gets it."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        new(new RuleAnswer.Pass($"to {to}") { Effect = new MessageEffect.Redirect(to!) });
}
