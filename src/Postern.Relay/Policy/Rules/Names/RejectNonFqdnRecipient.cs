namespace Postern.Relay.Policy.Rules.Names;

/// <summary>Refuses a recipient whose domain is no whole name: one without a dot, which another server cannot look up.</summary>
internal sealed class RejectNonFqdnRecipient : IRelayRule
{
    public string Name => "reject_non_fqdn_recipient";

    public string Doc => "refuse (504): the domain of the recipient has no dot, and is no address";

    public RuleStage Stages => RuleStage.Recipient;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(context.Recipient switch
    {
        null => new RuleAnswer.Pass("no recipient"),
        { Domain: { Literal: not null } domain } => new RuleAnswer.Pass($"{domain} is an address"),
        { Domain: var domain } when domain.Text.Contains('.', StringComparison.Ordinal) => new RuleAnswer.Pass($"{domain} is a whole name"),
        { Domain: var domain } => new RuleAnswer.Refuse(
            Refusals.NonFqdnRecipient(context), $"{domain} is no whole name", Remedies.TakeOut(this)),
    });
}
