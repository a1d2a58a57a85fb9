using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a sender of a domain that is not listed from a client in <c>networks</c> that has not logged in. In no list unless an operator writes it: for
/// networks that are trusted to relay, and only in the name of domains that are known here.
/// </summary>
internal sealed class RejectUnlistedNetworkSender : IRelayRule
{
    public string Name => "reject_unlisted_network_sender";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Sender.Mailbox is not { Domain: Domain domain })
            return new RuleAnswer.Pass("the null sender has no domain");
        if (context.Facts.Login is not null || context.TrustedNetwork is null)
            return new RuleAnswer.Pass(context.Facts.Login is null ? "not in networks" : "logged in: the password decides, not the address");
        return await context.IsListedAsync(domain, ct)
            ? new RuleAnswer.Pass($"{domain} is listed")
            : new RuleAnswer.Refuse(Refusals.UnlistedDomain(context), $"{domain} is not listed", Remedies.ListDomainAsync);
    }
}
