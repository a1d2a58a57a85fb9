using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a sender that the client does not own. A login owns the addresses and domains of its account, whatever its network. A
/// stranger owns any foreign address, and none of a listed domain unless its network is trusted or allowed for that domain: so
/// nobody outside can write in our name.
/// </summary>
/// <remarks>
/// Only the domain of a stranger's sender is looked at, never whether an account has that address: the answer would tell which accounts
/// exist. The null sender is every login's: read receipts (RFC 8098 §3) and vacation replies (RFC 3834 §3.3) MUST have it, and it carries
/// no address that could be another's.
/// </remarks>
internal sealed class RejectSenderLoginMismatch : IRelayRule
{
    public string Name => "reject_sender_login_mismatch";

    public string Doc =>
        "refuse: a login with a sender that its account does not own, an account that is gone or disabled; a stranger "
            + "with a sender of a listed domain, unless its network may send for it";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        context.Facts.Login is null ? OfStrangerAsync(context, ct) : OfLoginAsync(context, ct);

    private static async ValueTask<RuleAnswer> OfLoginAsync(
        RuleContext context, CancellationToken ct) => await context.FindAccountAsync(ct) switch
    {
        null =>
            new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {context.Facts.Login} does not exist any more", Remedies.RestoreAccountAsync),
        { Enabled: false } =>
            new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {context.Facts.Login} is disabled", Remedies.RestoreAccountAsync),
        { } account when context.Sender.Mailbox is { } sender => OfAccount(context, account, sender),
        _ => new RuleAnswer.Pass("a null sender, which every login may have"),
    };

    private static RuleAnswer OfAccount(RuleContext context, Account account, Mailbox sender) =>
        account.MaySendAs(sender)
            ? new RuleAnswer.Pass($"account {account.Name} may send as {sender}")
            : new RuleAnswer.Refuse(
                Refusals.NotOwned(context), $"account {account.Name} may not send as {sender}", Remedies.GrantSenderAsync);

    private static async ValueTask<RuleAnswer> OfStrangerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Sender.Mailbox is not { Domain: Domain domain })
            return new RuleAnswer.Pass("not logged in, and a null sender");
        if (!await context.IsListedAsync(domain, ct))
            return new RuleAnswer.Pass($"not logged in, and {domain} is foreign");
        return (context.TrustedNetwork ?? await context.FindAllowedNetworkAsync(ct)) is { } network
            ? new RuleAnswer.Pass($"client {context.Facts.Client} is in {network}, and may send for {domain}")
            : new RuleAnswer.Refuse(
                Refusals.NotLoggedIn(context), $"not logged in, and {domain} is listed here", Remedies.AllowClientOrLogInAsync);
    }
}
