namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a sender of a domain that is not listed from a client in <c>networks</c> that has not logged in. In no list unless an operator
/// writes it: for networks that are trusted to relay, and only in the name of domains that are known here.
/// </summary>
internal sealed class RejectUnlistedNetworkSender : IRelayRule
{
    public string Name => "reject_unlisted_network_sender";

    public string Doc =>
        "refuse: a client in `networks` without a login, with a sender whose domain is not listed; in no list unless you "
            + "write it";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => await RejectUnlistedDomain.OfListedAsync(
        context,
        context.Facts.Login is not null ? "logged in: the password decides, not the address"
            : await context.FindTrustedNetworkAsync(ct) is null ? "not in networks"
            : null,
        ct);
}
