using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Policy;

/// <summary>
/// Who may send what to whom: an ordered list of named rules a stage. The first answer that is not a pass wins; a sender nobody
/// refused goes on to its recipients, a recipient nobody permitted is refused. Immutable; one serves every session.
/// </summary>
/// <remarks>
/// Every refusal, and every permitted recipient, is one audit event. A sender that may go on has no event of its own: what was seen
/// at MAIL stands in the decision of each of its recipients. Repeats from one place are counted by the log, and share a reference.
/// </remarks>
public sealed class RelayPolicy : IEnvelopePolicy
{
    private readonly PolicyOptions options;
    private readonly IDirectory directory;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ImmutableArray<IRelayRule> senderRules;
    private readonly ImmutableArray<IRelayRule> recipientRules;

    /// <exception cref="ArgumentException">A word in a list names no rule of that stage; <see cref="RelayRules.Check"/> tells before.</exception>
    public RelayPolicy(PolicyOptions options, IDirectory directory, IAuditLog audit, TimeProvider clock)
    {
        this.options = options;
        this.directory = directory;
        this.audit = audit;
        this.clock = clock;
        senderRules = RelayRules.Compile(RuleStage.Sender, options.SenderRules);
        recipientRules = RelayRules.Compile(RuleStage.Recipient, options.RecipientRules);
    }

    public async ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct)
    {
        session.PolicyMemo = null;
        var context = new RuleContext(options, directory, EnvelopeFacts.Of(session), sender, recipient: null);
        var asked = await AskAsync(senderRules, context, earlier: [], ct);
        if (asked is [.., { Answer: RuleAnswer.Refuse }])
            return await RecordAsync(RuleStage.Sender, context, asked, ct);
        session.PolicyMemo = new SenderOutcome(this, context.Facts, sender, asked);
        return asked is [.., { Answer: RuleAnswer.Permit } permit] ? new Verdict.Permit(permit.Rule) : Verdict.Pass.Instance;
    }

    public async ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct)
    {
        var sender = session.Transaction?.Sender ?? throw new InvalidOperationException("RCPT without MAIL");
        var known = session.PolicyMemo is SenderOutcome memo && memo.Policy == this && memo.Sender == sender ? memo : null;
        var (stage, context, asked) = await AskAllAsync(known?.Facts ?? EnvelopeFacts.Of(session), sender, recipient, known?.Asked, ct);
        return await RecordAsync(stage, context, asked, ct);
    }

    /// <summary>Decides by the same code as for a live session, and records nothing.</summary>
    public async ValueTask<Decision> DryRunAsync(EnvelopeFacts facts, ReversePath sender, Mailbox recipient, CancellationToken ct)
    {
        var (stage, context, asked) = await AskAllAsync(facts, sender, recipient, askedOfSender: null, ct);
        return await DecideAsync(DecisionReference.DryRun, stage, context, asked, ct);
    }

    /// <summary>
    /// The fewest changes after which <see cref="DryRunAsync"/> would permit what it refuses, as commands or lines of the configuration; all of them are needed. Empty where
    /// it permits already, or nothing is known that would do.
    /// </summary>
    public async ValueTask<ImmutableArray<string>> ShortestChangeAsync(EnvelopeFacts facts, ReversePath sender, Mailbox recipient, CancellationToken ct)
    {
        try
        {
            return (await DryRunAsync(facts, sender, recipient, ct)).IsPermit ? [] : await new ShortestChange(options, directory, facts, sender, recipient, clock).FindAsync(ct);
        }
        catch (DirectoryUnavailableException)
        {
            return [];
        }
    }

    private async ValueTask<(RuleStage Stage, RuleContext Context, ImmutableArray<AskedRule> Asked)> AskAllAsync(
        EnvelopeFacts facts, ReversePath sender, Mailbox recipient, ImmutableArray<AskedRule>? askedOfSender, CancellationToken ct)
    {
        if (askedOfSender is not { } earlier)
        {
            var first = new RuleContext(options, directory, facts, sender, recipient: null);
            earlier = await AskAsync(senderRules, first, earlier: [], ct);
            if (earlier is [.., { Answer: RuleAnswer.Refuse }])
                return (RuleStage.Sender, first, earlier);
        }

        var context = new RuleContext(options, directory, facts, sender, recipient);
        return (RuleStage.Recipient, context, await AskAsync(recipientRules, context, earlier, ct));
    }

    private static async ValueTask<ImmutableArray<AskedRule>> AskAsync(
        ImmutableArray<IRelayRule> rules, RuleContext context, ImmutableArray<AskedRule> earlier, CancellationToken ct)
    {
        var asked = ImmutableArray.CreateBuilder<AskedRule>(earlier.Length + rules.Length + 1);
        asked.AddRange(earlier);
        foreach (var rule in rules)
        {
            var answer = await AskAsync(rule, context, ct);
            asked.Add(new AskedRule(rule.Name, answer));
            if (answer is not RuleAnswer.Pass)
                return asked.DrainToImmutable();
        }

        if (context.Recipient is not null)
            asked.Add(new AskedRule(Decision.EndOfList, new RuleAnswer.Refuse(Refusals.RelayDenied(context), "no rule permitted this recipient")));
        return asked.DrainToImmutable();
    }

    private static async ValueTask<RuleAnswer> AskAsync(IRelayRule rule, RuleContext context, CancellationToken ct)
    {
        try
        {
            return await rule.AnswerAsync(context, ct);
        }
        catch (DirectoryUnavailableException unavailable)
        {
            // Without its facts a rule cannot pass either: the rule behind it might permit.
            return new RuleAnswer.Refuse(Refusals.Temporary, $"directory unavailable: {unavailable.Message}", static (_, _) => new("make the directory's database readable"));
        }
    }

    /// <summary>The last rule asked has decided.</summary>
    private async ValueTask<Decision> DecideAsync(string reference, RuleStage stage, RuleContext context, ImmutableArray<AskedRule> asked, CancellationToken ct)
    {
        var reply = asked[^1].Answer is RuleAnswer.Refuse refuse ? refuse.Refusal.ToReply(reference) : null;
        return new Decision(reference, clock.GetUtcNow(), stage, context.Facts, context.Sender, context.Recipient, asked[^1].Rule, reply, await StepsAsync(context, asked, withRemedy: reply is not null, ct));
    }

    private static async ValueTask<ImmutableArray<RuleStep>> StepsAsync(RuleContext context, ImmutableArray<AskedRule> asked, bool withRemedy, CancellationToken ct)
    {
        var steps = ImmutableArray.CreateBuilder<RuleStep>(asked.Length);
        foreach (var rule in asked)
            steps.Add(await rule.ToStepAsync(context, withRemedy, ct));
        return steps.MoveToImmutable();
    }

    /// <summary>The log is asked before the reply is made: the reference in it must lead to something.</summary>
    private async ValueTask<Verdict> RecordAsync(RuleStage stage, RuleContext context, ImmutableArray<AskedRule> asked, CancellationToken ct)
    {
        var (rule, answer) = asked[^1];
        var refusal = (answer as RuleAnswer.Refuse)?.Refusal;
        var cause = await audit.AskAsync(
            new AuditCause(AuditKind.Policy, context.Facts.Client, context.Facts.Login, stage.ToWord(), rule, refusal?.Code ?? 0) { Ref = DecisionReference.New() }, ct);
        if (cause.Standing != AuditStanding.Repeat)
            audit.Append((await DecideAsync(cause.Ref!, stage, context, asked, ct)).ToAuditEvent(cause));
        return refusal is null ? new Verdict.Permit(rule) : new Verdict.Refuse(refusal.ToReply(cause.Ref!), rule);
    }
}
