using Postern.Relay.Policy.Services;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses senders that the server refuses which a report to them would go to. It is asked as for recipients
/// (<see cref="RejectUnverifiedRecipient"/>): by MAIL with the null sender, which no server verifies in turn.
/// </summary>
internal sealed class RejectUnverifiedSender : IRelayRule
{
    private readonly Verification verification = Verification.None;

    public RejectUnverifiedSender()
    {
    }

    private RejectUnverifiedSender(Verification verification) => this.verification = verification;

    public string Name => "reject_unverified_sender";

    public string Doc =>
        "refuse (450 4.1.7): not logged in, and the server that mail for the sender would go to refuses it for good; asked by MAIL and "
            + "RCPT, and what it says is remembered. The null sender passes";

    public RuleStage Stages => RuleStage.Sender | RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_unverified_sender` in a list of rules: 450 for a sender that its own server refuses; see rules.md.";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectUnverifiedSender(Verification.Read(arguments, Refusals.UndeliverableAddress with { Code = 450, Status = new(4, 1, 7) }));

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Sender.Mailbox is not { } sender)
            return new RuleAnswer.Pass("a null sender");
        if (context.Facts.Login is not null)
            return new RuleAnswer.Pass("logged in");
        return context.Options.Recipients?.IsExpanded(sender) == true
            ? new RuleAnswer.Pass($"{sender} stands for others")
            : await verification.AskAsync(context, sender, Refusals.UndeliverableSender(sender), ct);
    }
}
