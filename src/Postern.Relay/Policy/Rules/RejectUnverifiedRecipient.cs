using System.Globalization;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Services;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses recipients that the server refuses which mail for them would go to: it is asked by MAIL and RCPT, without a message, and what it
/// says is remembered. So a relay in front of mailboxes refuses what would come back, and needs no list of them.
/// </summary>
internal sealed class RejectUnverifiedRecipient : IRelayRule
{
    private static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(6);

    private static readonly ArgumentKind<bool> Whose = ArgumentKinds.Word(("ours", false), ("all", true));

    private readonly bool asksForAll;
    private readonly TimeSpan timeout = UsualTimeout;
    private readonly TimeSpan positive;
    private readonly TimeSpan negative;
    private readonly OwnReply reply = OwnReply.None;

    public RejectUnverifiedRecipient()
    {
    }

    private RejectUnverifiedRecipient(bool asksForAll, TimeSpan timeout, TimeSpan positive, TimeSpan negative, OwnReply reply) =>
        (this.asksForAll, this.timeout, this.positive, this.negative, this.reply) = (asksForAll, timeout, positive, negative, reply);

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
        arguments.Value("timeout", ArgumentKinds.Wait, UsualTimeout, "6s", "How long an answer is waited for. At most 60s."),
        arguments.Value(
            "positive_ttl", ArgumentKinds.Age, TimeSpan.FromDays(1), "1d", "How long a recipient counts as known that was."),
        arguments.Value(
            "negative_ttl", ArgumentKinds.Age, TimeSpan.FromHours(1), "1h", "How long a recipient counts as unknown that was."),
        OwnReply.Read(arguments, Refusals.UndeliverableAddress));

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
        if (context.Services.Recipients is not { } recipients)
            return new RuleAnswer.CannotSay("no server can be asked here");
        if (recipients.Remembered(recipient, positive, negative) is { } remembered)
            return Of(remembered, recipient, "as it was said before: ", string.Empty);
        if (context.IsDryRun)
            return new RuleAnswer.Pass($"the server of {recipient.Domain} is not asked in advance");
        var begun = context.Clock.GetTimestamp();
        ProbeAnswer answer;
        try
        {
            using var end = new CancellationTokenSource(timeout, context.Clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, ct);
            answer = await recipients.AskAsync(recipient, either.Token);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            answer = new ProbeAnswer.Unavailable($"the server of {recipient.Domain} does not answer in time");
        }

        return Of(
            answer,
            recipient,
            string.Empty,
            string.Create(CultureInfo.InvariantCulture, $" (after {context.Clock.GetElapsedTime(begun).TotalMilliseconds:0} ms)"));
    }

    private RuleAnswer Of(ProbeAnswer answer, Mailbox recipient, string before, string after)
    {
        var saw = $"{before}{answer.Saw}{after}";
        return answer switch
        {
            ProbeAnswer.Known => new RuleAnswer.Pass(saw),
            ProbeAnswer.Unknown => new RuleAnswer.Refuse(
                reply.Of(Refusals.UndeliverableAddress with { Text = $"<{recipient}>: Recipient address rejected: undeliverable address" }),
                saw,
                (_, _) => new($"have the server of {recipient.Domain} take mail for {Remedies.Quote(recipient.Address)}")),
            _ => new RuleAnswer.CannotSay(
                saw, (_, _) => new($"see that the server of {recipient.Domain} answers, or write on_error: pass")),
        };
    }
}
