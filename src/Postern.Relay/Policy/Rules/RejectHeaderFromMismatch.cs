using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses a message of a login whose From field names an author that its account may not send as: every address in it, of each From field
/// there is. A field that does not read is nobody's. Without one, the author is the sender in the envelope.
/// </summary>
internal sealed class RejectHeaderFromMismatch : IRelayRule
{
    public string Name => "reject_header_from_mismatch";

    public string Doc =>
        "refuse (550): a login whose account may not send as every address of every From field; a From that does not "
            + "read (a group, half an address) is nobody's. Without one the sender of the envelope is the author";

    public RuleStage Stages => RuleStage.Message;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Facts.Login is null)
            return new RuleAnswer.Pass("not logged in");
        if (context.Header is not { } header)
            return new RuleAnswer.Pass("the header is not known");
        if (await context.FindAccountAsync(ct) is not { Enabled: true } account)
            return new RuleAnswer.Refuse(
                Refusals.AccountDisabled(context), $"account {context.Facts.Login} is not there any more", Remedies.RestoreAccountAsync);
        if (header.HasForeignAuthor is false)
            return new RuleAnswer.Pass(header.From is null ? "no From field" : $"account {account.Name} may send as what From says");
        return new RuleAnswer.Refuse(
            Refusals.AuthorNotOwned(context, OtherOf(header.From, account)),
            header.From is null ? "From says nothing that can be read" : $"account {account.Name} may not send as From says: {header.From}",
            Remedies.TakeOut(this));
    }

    /// <summary>The first address that the account may not have; null where none can be read.</summary>
    private static string? OtherOf(string? from, Accounts.Account account)
    {
        if (from is null)
            return null;
        var mailboxes = new MailboxList(Encoding.UTF8.GetBytes(from));
        while (mailboxes.TryNext())
        {
            if (Mailbox.TryParse(Encoding.UTF8.GetString(mailboxes.Address), out var one) && !account.MaySendAs(one))
                return one.Address;
        }

        return null;
    }
}
