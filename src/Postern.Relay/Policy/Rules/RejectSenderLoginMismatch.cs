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
/// <param name="whose">Who is judged; as Postfix has a rule for each.</param>
internal sealed class RejectSenderLoginMismatch(MismatchOf whose) : IRelayRule
{
    private const string OfLogin = "a login with a sender that its account does not own, an account that is gone or disabled";
    private const string OfStranger = "a stranger with a sender of a listed domain, unless its network may send for it";

    public string Name => whose switch
    {
        MismatchOf.Authenticated => "reject_authenticated_sender_login_mismatch",
        MismatchOf.Unauthenticated => "reject_unauthenticated_sender_login_mismatch",
        MismatchOf.Known => "reject_known_sender_login_mismatch",
        _ => "reject_sender_login_mismatch",
    };

    public string Doc => whose switch
    {
        MismatchOf.Authenticated => $"refuse: {OfLogin}; strangers pass",
        MismatchOf.Unauthenticated => $"refuse: {OfStranger}; logins pass",
        MismatchOf.Known =>
            $"refuse: a login with a sender that another account has or is named by, an account that is gone or disabled; {OfStranger}",
        _ => $"refuse: {OfLogin}; {OfStranger}",
    };

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => (context.Facts.Login, whose) switch
    {
        (null, MismatchOf.Authenticated) => new(new RuleAnswer.Pass("not logged in")),
        (not null, MismatchOf.Unauthenticated) => new(new RuleAnswer.Pass("logged in")),
        (null, _) => OfStrangerAsync(context, ct),
        _ => OfLoginAsync(context, ct),
    };

    private async ValueTask<RuleAnswer> OfLoginAsync(
        RuleContext context, CancellationToken ct) => await context.FindAccountAsync(ct) switch
    {
        null =>
            new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {context.Facts.Login} does not exist any more", Remedies.RestoreAccountAsync),
        { Enabled: false } =>
            new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {context.Facts.Login} is disabled", Remedies.RestoreAccountAsync),
        { } account when context.Sender.Mailbox is { } sender =>
            whose == MismatchOf.Known && !account.MaySendAs(sender) && await context.FindOwnerAsync(sender, ct) is null
                ? new RuleAnswer.Pass($"{sender} is no account's")
                : OfAccount(context, account, sender),
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
        return (await context.FindTrustedNetworkAsync(ct) ?? await context.FindAllowedNetworkAsync(ct)) is { } network
            ? new RuleAnswer.Pass($"client {context.Facts.Client} is in {network}, and may send for {domain}")
            : new RuleAnswer.Refuse(
                Refusals.NotLoggedIn(context), $"not logged in, and {domain} is listed here", Remedies.AllowClientOrLogInAsync);
    }
}

/// <summary>Whose senders are judged.</summary>
internal enum MismatchOf
{
    Anybody,
    Authenticated,
    Unauthenticated,

    /// <summary>Of logins only senders that some account has.</summary>
    Known,
}
