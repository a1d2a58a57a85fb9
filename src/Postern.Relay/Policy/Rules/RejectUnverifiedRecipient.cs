using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Services;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses recipients that the server refuses which mail for them would go to: it is asked by MAIL and RCPT, without a message, and what it
/// says is remembered. So a relay in front of mailboxes refuses what would come back, and needs no list of them.
/// </summary>
internal sealed class RejectUnverifiedRecipient : IRelayRule
{
    private static readonly ArgumentKind<bool> Whose = ArgumentKinds.Word(("ours", false), ("all", true));

    private readonly bool asksForAll;
    private readonly Verification verification = Verification.None;

    public RejectUnverifiedRecipient()
    {
    }

    private RejectUnverifiedRecipient(bool asksForAll, Verification verification) =>
        (this.asksForAll, this.verification) = (asksForAll, verification);

    public string Name => "reject_unverified_recipient";

    public string Doc =>
        "refuse (550 5.1.1): the server that mail for the recipient would go to refuses it for good; it is asked by MAIL and RCPT, and "
            + "what it says is remembered. Recipients of domains that are not ours pass, and those that an alias or forward names. "
            + "Write it before the rules that permit";

    public RuleStage Stages => RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_unverified_recipient` in a list of rules: 550 for a recipient that its own server refuses; see rules.md.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new RejectUnverifiedRecipient(
        arguments.Value(
            "of",
            Whose,
            fallback: false,
            "`ours`",
            "Which recipients are asked for. `ours`: of domains whose recipients are accepted from anyone. `all`: of every domain, also "
                + "for strangers, unless rules before it refuse them."),
        Verification.Read(arguments, Refusals.UndeliverableAddress));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Recipient is not { } recipient)
            return new RuleAnswer.Pass("no recipient");
        if (!asksForAll && !await context.AcceptsAsync(recipient.Domain, ct))
            return new RuleAnswer.Pass($"{recipient.Domain} is no domain of ours");
        if (context.Rewritten is SrsAnswer.Leads)
            return new RuleAnswer.Pass($"{recipient} was made here for mail that was forwarded");
        if (context.Options.Recipients?.IsExpanded(recipient) == true)
            return new RuleAnswer.Pass($"{recipient} stands for others");
        return await verification.AskAsync(context, recipient, Refusals.UndeliverableRecipient(recipient), ct);
    }
}
