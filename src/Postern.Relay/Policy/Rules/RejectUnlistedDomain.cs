using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a sender of an unknown domain from a login. Known is a domain that is listed, or to which the login's own account is tied; so an
/// account works without <c>domain add</c>. Others are not asked: a client in <c>networks</c> may relay as anyone, and mail from outside
/// comes from everywhere.
/// </summary>
internal sealed class RejectUnlistedDomain : IRelayRule
{
    public string Name => "reject_unlisted_domain";

    public string Doc => "refuse: a login with a sender whose domain is neither listed nor tied to the account";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        var answer = await OfListedAsync(context, context.Facts.Login is null ? "not logged in" : null, ct);
        if (answer is not RuleAnswer.Refuse || context.Sender.Mailbox is not { Domain: Domain domain })
            return answer;
        return await context.FindAccountAsync(ct) switch
        {
            null or { Enabled: false } => new RuleAnswer.Pass($"{domain} is not listed, but the account is gone or disabled"),
            { } account when IsTied(account, domain) => new RuleAnswer.Pass($"{domain} belongs to account {account.Name}"),
            _ => answer,
        };
    }

    /// <summary>What the rules about unlisted domains of senders have in common.</summary>
    /// <param name="notForThis">Why the rule has nothing to say about this client; null where it has.</param>
    internal static async ValueTask<RuleAnswer> OfListedAsync(RuleContext context, string? notForThis, CancellationToken ct)
    {
        if (context.Sender.Mailbox is not { Domain: Domain domain })
            return new RuleAnswer.Pass("the null sender has no domain");
        if (notForThis is not null)
            return new RuleAnswer.Pass(notForThis);
        return await context.IsListedAsync(domain, ct)
            ? new RuleAnswer.Pass($"{domain} is listed")
            : new RuleAnswer.Refuse(Refusals.UnlistedDomain(context), $"{domain} is not listed", Remedies.ListDomainAsync);
    }

    private static bool IsTied(Account account, Domain domain) =>
        account.HasDomain(domain)
        || account.Addresses.Any(address => address.EndsWith(domain.Text, StringComparison.OrdinalIgnoreCase)
            && address.AsSpan(0, address.Length - domain.Text.Length).EndsWith("@", StringComparison.Ordinal));
}
