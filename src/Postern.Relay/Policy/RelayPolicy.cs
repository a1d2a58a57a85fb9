using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Access;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Explaining;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Tenants;
using Postern.Relay.Policy.Services;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
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
    private readonly PolicyWorld world;
    private readonly IAuditLog audit;
    private readonly ImmutableArray<RuleList> beforeRecipients;
    private readonly RuleList recipientRules;
    private readonly RuleList messageRules;
    private readonly RuleClasses classes;

    /// <param name="directory">All accounts: whose an address is.</param>
    /// <param name="directoryOf">The accounts that count on a listener; null: <paramref name="directory"/> on each.</param>
    /// <param name="counters">Null where none are known (<see cref="UnknownCounters"/>).</param>
    /// <param name="suppressions">Null: those of <paramref name="directory"/>, where it has some.</param>
    /// <param name="names">What DNS says; null where nobody asks it: rules that need it answer 451 then.</param>
    /// <exception cref="ArgumentException">
    /// An entry of a list names no rule of that stage; <see cref="RelayRules.Check"/> tells before.
    /// </exception>
    public RelayPolicy(
        PolicyOptions options,
        IDirectory directory,
        IAuditLog audit,
        TimeProvider clock,
        ICounters? counters = null,
        Func<string, IDirectory>? directoryOf = null,
        ISuppressions? suppressions = null,
        INameLookup? names = null)
        : this(options, directory, audit, clock, counters, directoryOf, suppressions, names, new AccessTables(clock, audit))
    {
    }

    internal RelayPolicy(
        PolicyOptions options,
        IDirectory directory,
        IAuditLog audit,
        TimeProvider clock,
        ICounters? counters,
        Func<string, IDirectory>? directoryOf,
        ISuppressions? suppressions,
        INameLookup? names,
        AccessTables tables,
        IReadOnlySet<(string Path, string Pattern)>? waived = null)
    {
        classes = new RuleClasses(options.Devices.AddTo(options.Classes), options.Own);
        world = new PolicyWorld(
            options, directoryOf ?? (_ => directory), counters ?? UnknownCounters.Instance, clock, new LimitNews(audit, clock))
        {
            Everybody = directory,
            Suppressions = suppressions ?? directory as ISuppressions,
            Trials = Trials,
            Tables = tables,
            Services = new PolicyServices(clock),
            Classes = classes,
            Names = names,
            Waived = waived ?? ImmutableHashSet<(string Path, string Pattern)>.Empty,
        };
        this.audit = audit;
        RuleList[] lists =
        [
            new(RuleStage.Client, WithDevices(options.ClientRules), classes), new(RuleStage.Helo, WithDevices(options.HeloRules), classes),
        ];
        beforeRecipients = [.. lists.Where(static list => !list.IsEmpty), new(RuleStage.Sender, Bound(options.SenderRules), classes)];
        recipientRules = new RuleList(RuleStage.Recipient, WithDevices(options.RecipientRules), classes);
        messageRules = new RuleList(RuleStage.Message, Bound(options.MessageRules), classes);

        ImmutableArray<RuleEntry> Bound(ImmutableArray<RuleEntry> rules) =>
            options.Tenants.IsEmpty || rules.Any(static rule => rule.Word == RejectTenantMismatch.Word)
                ? WithDevices(rules)
                : [RejectTenantMismatch.Word, .. WithDevices(rules)];

        ImmutableArray<RuleEntry> WithDevices(ImmutableArray<RuleEntry> rules) =>
            options.Devices.IsEmpty || rules.Any(static rule => rule.Word == CheckDevices.Word) ? rules : [CheckDevices.Word, .. rules];
    }

    /// <summary>What is said of tenants.</summary>
    public TenantTable Tenants => world.Options.Tenants;

    /// <summary>
    /// The services that rules ask; whoever sets them disposes them. Not set: its own, whose connections end when nobody asks.
    /// </summary>
    internal PolicyServices Services
    {
        init => world = world with { Services = value };
    }

    /// <summary>Who sends nothing for now. Not set: nobody.</summary>
    internal ISuspendedSenders Suspended
    {
        init => world = world with { Suspended = value };
    }

    /// <summary>Takes how long each question took, by stage; null for nobody.</summary>
    internal Histogram<double>? Durations { private get; init; }

    /// <summary>What logins do otherwise. Not set: nobody knows.</summary>
    internal ILoginWatch Watch
    {
        init => world = world with { Watch = value };
    }

    /// <summary>Who may send again all the same, for the sake of a trial.</summary>
    internal IReadOnlySet<(SuspendedKind Of, string Name)> Resumed
    {
        init => world = world with { Resumed = value };
    }

    /// <summary>What rules on trial would have decided.</summary>
    public RuleTrials Trials { get; } = new();

    public ValueTask<Verdict> OnSenderAsync(SessionState session, ReversePath sender, CancellationToken ct) =>
        Durations is { Enabled: true } taker
            ? TimedAsync(world.Clock.GetTimestamp(), JudgeSenderAsync(session, sender, ct), RuleStage.Sender, taker)
            : JudgeSenderAsync(session, sender, ct);

    public ValueTask<Verdict> OnRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct) =>
        Durations is { Enabled: true } taker
            ? TimedAsync(world.Clock.GetTimestamp(), JudgeRecipientAsync(session, recipient, ct), RuleStage.Recipient, taker)
            : JudgeRecipientAsync(session, recipient, ct);

    private async ValueTask<Verdict> TimedAsync(long begun, ValueTask<Verdict> judging, RuleStage stage, Histogram<double> taker)
    {
        var verdict = await judging;
        taker.Record(
            world.Clock.GetElapsedTime(begun).TotalSeconds, new KeyValuePair<string, object?>("stage", stage.ToWord()));
        return verdict;
    }

    private async ValueTask<Verdict> JudgeSenderAsync(SessionState session, ReversePath sender, CancellationToken ct)
    {
        session.PolicyMemo = null;
        var question = new PolicyQuestion(FactsOf(session, sender), sender) { PipelinedBehind = session.PipelinedBehind };
        var judged = await AskBeforeRecipientsAsync(question, counts: true, ct);
        if (judged.IsRefusal)
            return await RecordAsync(judged, ct);
        session.PolicyMemo = new SenderOutcome(this, question.Facts, sender, judged.Asked) { Effects = judged.Effects(from: 0) };
        return judged.Decider is { } permit ? new Verdict.Permit(permit.Rule) : Verdict.Pass.Instance;
    }

    private async ValueTask<Verdict> JudgeRecipientAsync(SessionState session, Mailbox recipient, CancellationToken ct)
    {
        var sender = session.Transaction?.Sender ?? throw new InvalidOperationException("RCPT without MAIL");
        var known = Known(session, sender);
        var question = new PolicyQuestion(known?.Facts ?? FactsOf(session, sender), sender, recipient)
        {
            Parameters = session.Transaction.Parameters,
            PipelinedBehind = session.PipelinedBehind,
        };
        if (known is null && await AskBeforeRecipientsAsync(question with { Recipient = null }, counts: true, ct) is var before)
        {
            if (before.IsRefusal)
                return await RecordAsync(before, ct);
            session.PolicyMemo = known = new SenderOutcome(this, question.Facts, sender, before.Asked)
            {
                Effects = before.Effects(from: 0),
            };
        }

        return await RecordAsync(
            await recipientRules.AskAsync(new RuleContext(world, question), known!.Asked, counts: true, ct), ct, known);
    }

    /// <summary>The references of the decisions that permitted the recipients of the session's transaction.</summary>
    internal static ImmutableArray<string> RefsOf(SessionState session, ReversePath sender) =>
        session.PolicyMemo is SenderOutcome memo && memo.Sender == sender ? memo.Refs : [];

    /// <summary>Asked once the header section of a message is whole: whether it may go on, and what is to be done with it then.</summary>
    internal ValueTask<MessageVerdict> OnMessageAsync(
        SessionState session, ReversePath sender, HeaderFacts header, CancellationToken ct) =>
        messageRules.IsEmpty
            ? new(new MessageVerdict(Refusal: null, Known(session, sender)?.Effects ?? []))
            : AskAboutMessageAsync(session, sender, header, ct);

    /// <summary>Asked when the whole message is there and before it is stored: why it may not be; null where it may.</summary>
    /// <param name="tenant">Whose message it is, as far as its header says.</param>
    /// <param name="octets">Of the content.</param>
    internal async ValueTask<Reply?> OnContentAsync(
        SessionState session, ReversePath sender, string? tenant, IReadOnlyList<Mailbox> recipients, long octets, CancellationToken ct)
    {
        if (world.Options.Limits.IsEmpty)
            return null;
        var known = Known(session, sender);
        var facts = known?.Facts ?? FactsOf(session, sender);
        var named = NamedBy(tenant, facts);
        var context = new RuleContext(world, new PolicyQuestion(named ?? facts, sender));
        if (await LimitJudge.AskAsync(context, recipients, octets, isNamed: named is not null, ct) is not RuleAnswer.Refuse refuse)
            return null;
        var decider = new AskedRule(new RulePlace(LimitJudge.Word, RuleStage.Message), refuse);
        var judged = new Judged(RuleStage.Message, context, [.. known?.Asked ?? [], decider], decider);
        return await RecordAsync(judged, ct) is Verdict.Refuse(var reply, _) ? reply : null;
    }

    /// <summary>A recipient that was permitted turned out not to exist.</summary>
    internal ValueTask OnBounceAsync(EnvelopeFacts facts, ReversePath sender, Mailbox recipient, CancellationToken ct)
    {
        if (WatchedLogin.Of(facts) is { } login)
            world.Watch.AddFailure(login);
        return LimitJudge.AddFailureAsync(world.Options.Limits, facts, sender, recipient, world.Counters, ct);
    }

    /// <summary>
    /// Decides by the same code as for a live session, and neither records nor counts anything. The header of the message is not known to
    /// it.
    /// </summary>
    public ValueTask<Decision> DryRunAsync(EnvelopeFacts facts, ReversePath sender, Mailbox recipient, CancellationToken ct) =>
        DryRunAsync(new PolicyQuestion(facts, sender, recipient), ct);

    /// <summary>
    /// The same; without a recipient those rules are not asked, and what nobody refuses is permitted by <see cref="Decision.EndOfList"/>.
    /// </summary>
    public async ValueTask<Decision> DryRunAsync(PolicyQuestion question, CancellationToken ct) =>
        await DecideAsync(DecisionReference.DryRun, await RehearseAsync(question, ct), ct);

    /// <summary>
    /// Decides again what the log says was decided. What the log does not keep (header, counts, DNS) is not asked again: where the same
    /// rule answered then, its answer counts. Accounts, networks and tables are asked as they are now.
    /// </summary>
    /// <param name="question">As the log has it.</param>
    public async ValueTask<Replayed> ReplayAsync(PolicyQuestion question, DecisionEvent recorded, CancellationToken ct)
    {
        var judged = await RehearseAsync(question with { Header = null, Recorded = new RecordedAnswers(recorded) }, ct);
        foreach (var asked in judged.Asked)
        {
            if (asked is { Answer.Lacks: { } lack, Place: ListedRule { IsOnTrial: false } })
                return new Replayed.Unknown(asked.Rule, lack);
        }

        return new Replayed.Decided(await DecideAsync(DecisionReference.DryRun, judged, ct, withRemedies: false));
    }

    /// <summary>The answers behind <see cref="DryRunAsync(PolicyQuestion, CancellationToken)"/>.</summary>
    internal async ValueTask<Judged> RehearseAsync(PolicyQuestion question, CancellationToken ct)
    {
        question = question with { Facts = Tenanted(question.Facts, question.Sender) };
        var judged = await AskBeforeRecipientsAsync(question with { Recipient = null }, counts: false, ct);
        if (!judged.IsRefusal && question.Recipient is not null)
            judged = await recipientRules.AskAsync(
                new RuleContext(world, question) { IsDryRun = true }, judged.Asked, counts: false, ct);
        if (!judged.IsRefusal && !messageRules.IsEmpty && question.Recorded is not { IsOfMessage: false })
        {
            var whole = await messageRules.AskAsync(
                new RuleContext(world, question with { Recipient = null }) { IsDryRun = true }, judged.Asked, counts: false, ct);
            judged = whole.IsRefusal ? whole : judged with { Asked = whole.Asked };
        }

        return judged;
    }

    /// <summary>
    /// The fewest changes after which <see cref="DryRunAsync(PolicyQuestion, CancellationToken)"/> would permit what it refuses, as
    /// commands or lines of the configuration; each was tried, and all of them are needed. Empty where it permits already, or
    /// nothing is known that would do.
    /// </summary>
    public ValueTask<ImmutableArray<string>> ShortestChangeAsync(
        EnvelopeFacts facts, ReversePath sender, Mailbox recipient, CancellationToken ct) =>
        ShortestChangeAsync(new PolicyQuestion(facts, sender, recipient), ct);

    /// <inheritdoc cref="ShortestChangeAsync(EnvelopeFacts, ReversePath, Mailbox, CancellationToken)"/>
    public async ValueTask<ImmutableArray<string>> ShortestChangeAsync(PolicyQuestion question, CancellationToken ct)
    {
        try
        {
            return (await RehearseAsync(question, ct)).IsRefusal ? await new ShortestChange(world, question).FindAsync(ct) : [];
        }
        catch (DirectoryUnavailableException)
        {
            return [];
        }
    }

    private EnvelopeFacts FactsOf(SessionState session, ReversePath sender) => Tenanted(EnvelopeFacts.Of(session), sender);

    /// <summary>The facts with the tenant of the message's header; null where that is nobody else's.</summary>
    private static EnvelopeFacts? NamedBy(string? tenant, EnvelopeFacts facts) =>
        tenant is null || tenant.Equals(facts.Tenant, StringComparison.OrdinalIgnoreCase) ? null : facts with { Tenant = tenant };

    private EnvelopeFacts Tenanted(EnvelopeFacts facts, ReversePath sender) =>
        facts.Tenant is null && !Tenants.IsEmpty && Tenants.Of(facts.Listener, facts.Client, facts.Login, sender) is { } tenant
            ? facts with { Tenant = tenant }
            : facts;

    private SenderOutcome? Known(SessionState session, ReversePath sender) =>
        session.PolicyMemo is SenderOutcome memo && memo.Policy == this && memo.Sender == sender ? memo : null;

    private async ValueTask<MessageVerdict> AskAboutMessageAsync(
        SessionState session, ReversePath sender, HeaderFacts header, CancellationToken ct)
    {
        var known = Known(session, sender);
        var question = new PolicyQuestion(known?.Facts ?? FactsOf(session, sender), sender)
        {
            Header = header,
            Parameters = session.Transaction?.Parameters,
            PipelinedBehind = session.PipelinedBehind,
            Recipients = session.Transaction is { Recipients: var all } ? [.. all.Select(static r => r.Mailbox)] : [],
        };
        var judged = await messageRules.AskAsync(new RuleContext(world, question), earlier: [], counts: true, ct);
        if (!judged.IsRefusal
            && NamedBy(judged.Effects(from: 0).OfType<MessageEffect.Tenant>().FirstOrDefault()?.Name, question.Facts) is { } named
            && new RuleContext(world, question with { Facts = named }) is var context
            && RuleList.Suspended(RuleStage.Message, context) is { } suspended)
            judged = judged with { Context = context, Asked = judged.Asked.Add(suspended), Decider = suspended };
        if (!judged.IsRefusal)
            Act(judged, from: 0);
        return new MessageVerdict(
            judged.IsRefusal && await RecordAsync(judged, ct) is Verdict.Refuse(var reply, _) ? reply : null,
            [.. known?.Effects ?? [], .. judged.Effects(from: 0)]);
    }

    /// <summary>Client, helo and sender, in this order: a refusal ends it, a permit only its own list.</summary>
    private async ValueTask<Judged> AskBeforeRecipientsAsync(PolicyQuestion question, bool counts, CancellationToken ct)
    {
        var context = new RuleContext(world, question) { IsDryRun = !counts };
        Judged? judged = null;
        foreach (var list in beforeRecipients)
        {
            judged = await list.AskAsync(context, judged?.Asked ?? [], counts, ct);
            if (judged.IsRefusal)
                break;
        }

        return judged!;
    }

    /// <summary>Where no rule refused or permitted, the list's end has let it pass.</summary>
    private async ValueTask<Decision> DecideAsync(string reference, Judged judged, CancellationToken ct, bool withRemedies = true)
    {
        var (stage, context, _, decider) = judged;
        var reply = (decider?.Answer as RuleAnswer.Refuse)?.Refusal.ToReply(reference);
        return new Decision(
            reference,
            world.Clock.GetUtcNow(),
            stage,
            context.Question,
            decider?.Rule ?? Decision.EndOfList,
            reply,
            await StepsAsync(judged, withRemedies && reply is not null, ct))
        {
            Effects = reply is null ? [.. judged.Effects(from: 0).Select(static effect => effect.Said)] : [],
            Configuration = world.Options.Configuration,
        };
    }

    private static async ValueTask<ImmutableArray<RuleStep>> StepsAsync(Judged judged, bool withRemedy, CancellationToken ct)
    {
        var steps = ImmutableArray.CreateBuilder<RuleStep>(judged.Asked.Length);
        foreach (var rule in judged.Asked)
            steps.Add(await rule.ToStepAsync(judged.Context, judged.Stage, withRemedy, ct));
        return steps.MoveToImmutable();
    }

    /// <summary>What answers bring with them; those of rules on trial bring nothing.</summary>
    /// <param name="from">Where the answers of this list begin.</param>
    private static void Act(Judged judged, int from)
    {
        for (var i = from; i < judged.Asked.Length; i++)
            judged.Asked[i].Answer.Act?.Invoke();
    }

    /// <summary>A recipient was refused for good; where logging in would help, it is none.</summary>
    private static bool IsFailure(Judged judged, string rule, Refusal? refusal) =>
        judged.Stage == RuleStage.Recipient && refusal is { Code: >= 500 and not 530 } && rule != LimitJudge.Word;

    /// <summary>The log is asked before the reply is made: the reference in it must lead to something.</summary>
    /// <param name="permitted">Is told the reference of a decision that permits.</param>
    private async ValueTask<Verdict> RecordAsync(Judged judged, CancellationToken ct, SenderOutcome? permitted = null)
    {
        var ((rule, _, _), answer) = judged.Decider!.Value;
        var refusal = (answer as RuleAnswer.Refuse)?.Refusal;
        var facts = judged.Context.Facts;
        var cause = await audit.AskAsync(
            new AuditCause(AuditKind.Policy, facts.Client, facts.Login, judged.Stage.ToWord(), rule, refusal?.Code ?? 0)
            {
                Ref = DecisionReference.New(),
            }, ct);
        if (judged.Decider is { Answer: RuleAnswer.Refuse { Limit: { } used } })
            world.News!.Tell(used.Key, used.Limit, used.Level, LimitState.Exceeded, facts);
        if (IsFailure(judged, rule, refusal) && judged.Context.Recipient is { } failed)
        {
            if (rule is not (WatchLogins.Word or Decision.Suspended) && WatchedLogin.Of(facts) is { } login)
                world.Watch.AddFailure(login);
            await LimitJudge.AddFailureAsync(world.Options.Limits, facts, judged.Context.Sender, failed, world.Counters, ct);
        }

        Act(judged, permitted?.Asked.Length ?? 0);
        if (cause.Standing != AuditStanding.Repeat)
            audit.Append((await DecideAsync(cause.Ref!, judged, ct)).ToAuditEvent(cause));
        if (refusal is null)
            permitted?.Note(cause.Ref!, judged.Effects(permitted.Asked.Length));
        return refusal is null ? new Verdict.Permit(rule) : new Verdict.Refuse(refusal.ToReply(cause.Ref!), rule);
    }
}

/// <summary>
/// What the stages before the recipient found, kept on the session until its recipients are decided: their decisions show the whole chain.
/// Only for the policy that found it, and only for that sender.
/// </summary>
internal sealed record SenderOutcome(RelayPolicy Policy, EnvelopeFacts Facts, ReversePath Sender, ImmutableArray<AskedRule> Asked)
{
    /// <summary>The references of the decisions that permitted its recipients, each once; no more than an event names.</summary>
    public ImmutableArray<string> Refs { get; private set; } = [];

    /// <summary>What is to be done with the message, each once.</summary>
    public ImmutableArray<MessageEffect> Effects { get; set; } = [];

    public void Note(string reference, ImmutableArray<MessageEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (!Effects.Contains(effect))
                Effects = Effects.Add(effect);
        }

        // Repeats have one reference in common, and come one behind the other.
        if (Refs.Length < AuditEvents.MostRecipients && (Refs.Length == 0 || !string.Equals(Refs[^1], reference, StringComparison.Ordinal)))
            Refs = Refs.Add(reference);
    }
}

/// <summary>What the rules say of a message whose header is known.</summary>
/// <param name="Refusal">Null where it may go on.</param>
/// <param name="Effects">What is to be done with it then, of all stages.</param>
internal sealed record MessageVerdict(Reply? Refusal, ImmutableArray<MessageEffect> Effects);
