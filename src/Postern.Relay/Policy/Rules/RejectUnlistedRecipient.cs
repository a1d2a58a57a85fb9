using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses recipients in domains of ours that nothing knows: no account, alias, forward, list or route. Else they are accepted, and the
/// sender hears of it in a report, or, where nobody vouches for the sender, not at all. It stands before the rules that permit.
/// </summary>
internal sealed class RejectUnlistedRecipient : IRelayRule
{
    /// <summary>Every domain has it (RFC 5321 §4.5.1).</summary>
    private const string Postmaster = "postmaster";

    public string Name => "reject_unlisted_recipient";

    public string Doc =>
        "refuse (550 5.1.1): the recipient is in a domain of ours, and no account has or is named by its address (or by "
            + "that without `+…`), no alias, forward or list names it, and its domain has no route of its own, whose server "
            + "would know; `postmaster` is never refused. Write it before the rules that permit; in no list unless you write it";

    public RuleStage Stages => RuleStage.Recipient;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Recipient is not { } recipient)
            return new RuleAnswer.Pass("no recipient");
        var names = context.Options.Recipients;
        if (names?.IsLocal(recipient.Domain) != true && !await context.AcceptsAsync(recipient.Domain, ct))
            return new RuleAnswer.Pass($"{recipient.Domain} is no domain of ours");
        if (context.Rewritten is SrsAnswer.Leads)
            return new RuleAnswer.Pass($"{recipient} was made here for mail that was forwarded");
        if (names?.WhyListed(recipient) is { } why)
            return new RuleAnswer.Pass($"{recipient} {why}");
        if (await context.FindOwnerAsync(recipient, ct) is { } owner)
            return new RuleAnswer.Pass($"{recipient} is of account {owner}");
        if (WithoutExtension(recipient) is { } plain && await context.FindOwnerAsync(plain, ct) is { } whose)
            return new RuleAnswer.Pass($"{plain} is of account {whose}");
        return string.Equals(recipient.LocalPart, Postmaster, StringComparison.OrdinalIgnoreCase)
            ? new RuleAnswer.Pass("every domain takes mail for its postmaster")
            : new RuleAnswer.Refuse(
                Refusals.UnlistedRecipient(context),
                $"no account has {recipient}, and no alias, forward, list or route names it",
                Remedies.NameRecipientAsync);
    }

    private static Mailbox? WithoutExtension(Mailbox recipient) =>
        !recipient.LocalPart.StartsWith('"')
        && recipient.LocalPart.IndexOf('+', StringComparison.Ordinal) is > 0 and var plus
        && Mailbox.TryParse($"{recipient.LocalPart[..plus]}@{recipient.Domain.Text}", out var plain)
            ? plain
            : null;
}
