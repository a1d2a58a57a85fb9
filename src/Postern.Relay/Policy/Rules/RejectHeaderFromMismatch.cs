using Postern.Relay.Policy.Explaining;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a message of a login whose header names an author, or whoever sends it on, that its account may not send as: every address of
/// each From field there is, of the newest Resent-From (RFC 5322 §3.6.6), and of a Sender that would stay. A field that does not read is
/// nobody's. Without From, the author is the sender in the envelope.
/// </summary>
internal sealed class RejectHeaderFromMismatch : IRelayRule
{
    public string Name => "reject_header_from_mismatch";

    public string Doc =>
        "refuse (550): a login whose account may not send as every address of every From field, of the newest Resent-From "
            + "and of a Sender that stays; one that does not read (a group, half an address) is nobody's. Without From the sender of the "
            + "envelope is the author";

    public RuleStage Stages => RuleStage.Message;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Facts.Login is null)
            return new RuleAnswer.Pass("not logged in");
        if (context.Header is not { } header)
            return new RuleAnswer.Pass("the header is not known") { Lacks = Lack.Header };
        if (await context.FindAccountAsync(ct) is not { Enabled: true } account)
            return new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {context.Facts.Login} is not there any more", Remedies.RestoreAccountAsync);
        if (header.HasForeignAuthor is not false)
            return Refused("From", header.From, context, account);
        if (header.HasForeignResender is not (null or false))
            return Refused("Resent-From", header.ResentFrom, context, account);
        if (header.HasForeignSender is not (null or false))
            return Refused("Sender", header.Sender, context, account);
        return new RuleAnswer.Pass(header.From is null ? "no From field" : $"account {account.Name} may send as what From says");
    }

    private RuleAnswer.Refuse Refused(string field, string? text, RuleContext context, Accounts.Account account)
    {
        List<Mailbox> others = [.. HeaderFacts.MailboxesIn(text, out var isWhole).Where(one => !account.MaySendAs(one))];
        var isToGrant = isWhole && others.Count > 0;
        return new RuleAnswer.Refuse(
            Refusals.AuthorNotOwned(context, field, others.Count == 0 ? null : others[0].Address),
            text is null ? $"{field} says nothing that can be read" : $"account {account.Name} may not send as {field} says: {text}",
            isToGrant ? (asked, cancel) => Remedies.GrantAsync(asked, others, cancel) : Remedies.TakeOut(this))
        {
            Mend = !isToGrant ? null : world => world.Account = account with
            {
                Addresses = [.. account.Addresses, .. others.Select(static one => one.Canonical)],
            },
        };
    }
}
