namespace Postern.Relay.Policy.Rules.Names;

/// <summary>Refuses a sender whose domain is no whole name: one without a dot, which another server cannot look up.</summary>
internal sealed class RejectNonFqdnSender : IRelayRule
{
    public string Name => "reject_non_fqdn_sender";

    public string Doc => "refuse (504): the domain of the sender has no dot, and is no address";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(context.Sender.Mailbox switch
    {
        null => new RuleAnswer.Pass("a null sender"),
        { Domain: { Literal: not null } domain } => new RuleAnswer.Pass($"{domain} is an address"),
        { Domain: var domain } when domain.Text.Contains('.', StringComparison.Ordinal) => new RuleAnswer.Pass($"{domain} is a whole name"),
        { Domain: var domain } => new RuleAnswer.Refuse(
            Refusals.NonFqdnSender(context), $"{domain} is no whole name", Remedies.TakeOut(this)),
    });
}
