using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>What the rules about unlisted domains of senders have in common.</summary>
internal static class UnlistedSender
{
    /// <param name="notForThis">Why the rule has nothing to say about this client; null where it has.</param>
    public static async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, string? notForThis, CancellationToken ct)
    {
        if (context.Sender.Mailbox is not { Domain: Domain domain })
            return new RuleAnswer.Pass("the null sender has no domain");
        if (notForThis is not null)
            return new RuleAnswer.Pass(notForThis);
        return await context.IsListedAsync(domain, ct)
            ? new RuleAnswer.Pass($"{domain} is listed")
            : new RuleAnswer.Refuse(Refusals.UnlistedDomain(context), $"{domain} is not listed", Remedies.ListDomainAsync);
    }
}
