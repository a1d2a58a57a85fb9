using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Accounts;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Rules;
using Postern.Relay.Policy.Suspending;

namespace Postern.Relay.Policy;

/// <summary>The rules of one stage, in order. The first answer that is not a pass decides.</summary>
/// <param name="classes">The lists that have a name, each as this stage asks it.</param>
internal sealed class RuleList(RuleStage stage, ImmutableArray<RuleEntry> entries, RuleClasses classes)
{
    /// <summary>
    /// Of lists that ask each other. What configurations write is looked at before; access tables name lists too, and are read at any time.
    /// </summary>
    private const int MostDepth = 16;

    private readonly ImmutableArray<ListedRule> rules = RelayRules.Compile(stage, entries, classes);
    private readonly RulePlace limits = new(LimitJudge.Word, stage);

    public bool IsEmpty => rules.IsEmpty;

    /// <param name="earlier">What was asked before; the answers of this list come behind it.</param>
    /// <param name="counts">False in a dry run.</param>
    public async ValueTask<Judged> AskAsync(RuleContext context, ImmutableArray<AskedRule> earlier, bool counts, CancellationToken ct)
    {
        var asked = ImmutableArray.CreateBuilder<AskedRule>(earlier.Length + rules.Length);
        asked.AddRange(earlier);
        var decider = ForgedAddress(context)
            ?? (stage == RuleStage.Message ? null : Suspended(stage, context))
            ?? await OtherSenderAsync(context, ct);
        if (decider is not null)
            asked.Add(decider.Value);
        decider ??= await WalkAsync(rules, context, asked, counts, depth: 0, ct);
        if (decider is null && stage == RuleStage.Recipient)
        {
            decider = InPlaceOfRule(
                Decision.EndOfList,
                new RuleAnswer.Refuse(Refusals.RelayDenied(context), "no rule permitted this recipient", Remedies.WriteRuleAsync)
                {
                    Mend = static world =>
                    {
                        var isStranger = world.Facts.Login is null;
                        world.Appended.Add(isStranger ? PermitNetworks.Word : PermitAuthenticated.Word);
                        world.IsTrusted |= isStranger;
                    },
                });
            asked.Add(decider.Value);
        }

        if (Deferred(asked, decider) is { } deferred)
        {
            decider = deferred;
            asked.Add(deferred);
        }

        if (counts && decider is not { Answer: RuleAnswer.Refuse })
            decider = await CountAsync(context, asked, earlier.Length, ct) ?? decider;
        if (decider is not { Answer: RuleAnswer.Refuse } && await LimitJudge.AskAsync(context, stage, counts, ct) is { } answer)
        {
            asked.Add(new AskedRule(limits, answer));
            if (answer is RuleAnswer.Refuse)
                decider = asked[^1];
        }

        return new Judged(stage, context, asked.DrainToImmutable(), decider);
    }

    /// <summary>
    /// What an earlier answer makes of the decision: one of this list, or, where a recipient or message is permitted, of a stage before it.
    /// Null where it stays as it is.
    /// </summary>
    private AskedRule? Deferred(ImmutableArray<AskedRule>.Builder asked, AskedRule? decider)
    {
        bool? ofRefusal = decider switch
        {
            { Answer: RuleAnswer.Refuse { Refusal.Code: >= 500 } } => true,
            { Answer: RuleAnswer.Refuse } => null,
            _ when stage is RuleStage.Recipient or RuleStage.Message => false,
            _ => null,
        };
        if (ofRefusal is null)
            return null;
        foreach (var (place, answer) in asked)
        {
            if (answer is RuleAnswer.Pass { Deferral: { } deferral } && deferral.OfRefusal == ofRefusal)
                return InPlaceOfRule(
                    place.Word,
                    new RuleAnswer.Refuse(
                        deferral.Refusal,
                        deferral.OfRefusal
                            ? "what was refused for good is refused for now"
                            : "no later rule refused, so it is refused for now"));
        }

        return null;
    }

    /// <summary>Asks one after another until one decides; null where none does.</summary>
    private async ValueTask<AskedRule?> WalkAsync(
        ImmutableArray<ListedRule> list,
        RuleContext context,
        ImmutableArray<AskedRule>.Builder asked,
        bool counts,
        int depth,
        CancellationToken ct)
    {
        foreach (var listed in list)
        {
            var before = asked.Count;
            var answer = Weighed(listed, await listed.AskAsync(context, ct), context, depth);
            asked.Add(new AskedRule(listed, answer));
            AskedRule? decider = answer switch
            {
                RuleAnswer.Pass or RuleAnswer.Would => null,
                RuleAnswer.Ask(var next, _) => await WalkAsync(
                    classes.Of(next, stage), context, asked, counts && !listed.IsOnTrial, depth + 1, ct),
                _ => asked[^1],
            };
            if (!listed.IsOnTrial)
            {
                if (decider is not null)
                    return decider;
            }
            else if (decider is { Answer: var decided })
            {
                asked.Count = before;
                asked.Add(new AskedRule(listed, RuleAnswer.Would.Of(decided)));
                if (counts)
                    context.Trials?.Count(listed.Word, stage);
            }
            else if (asked.Count > before + 1)
            {
                // A list: what its rules would count or do is theirs to say when it counts.
                asked.Count = before;
                asked.Add(new AskedRule(listed, new RuleAnswer.Pass("all of its rules pass")));
            }
        }

        return null;
    }

    /// <summary>What an answer comes to here.</summary>
    private RuleAnswer Weighed(ListedRule listed, RuleAnswer answer, RuleContext context, int depth)
    {
        if (answer.Lacks is not null && context.Question.Recorded is { } recorded)
            answer = recorded.Instead(stage, listed.Word, answer);
        return answer switch
        {
            RuleAnswer.Pass { Acts: true } pass when listed.IsOnTrial => new RuleAnswer.Would("would act", pass.Saw),
            RuleAnswer.Ask(var again, _) when depth == MostDepth =>
                new RuleAnswer.Refuse(Refusals.Temporary, $"the list {again} is asked by lists that ask each other"),
            _ => answer,
        };
    }

    private AskedRule InPlaceOfRule(string name, RuleAnswer answer) => new(new RulePlace(name, stage), answer);

    /// <summary>A rewritten address that was not made here leads nowhere, whoever writes to it.</summary>
    private AskedRule? ForgedAddress(RuleContext context) =>
        stage == RuleStage.Recipient && context.Rewritten is SrsAnswer.Refused(var why)
            ? InPlaceOfRule(
                Decision.RewrittenSender,
                new RuleAnswer.Refuse(Refusals.NotRewrittenHere(context, why), why, Remedies.AskForAnotherAddressAsync))
            : null;

    /// <summary>
    /// Asked at RCPT too: what somebody has begun to send goes to nobody more. Of a message, where only its header says whose it is.
    /// </summary>
    public static AskedRule? Suspended(RuleStage stage, RuleContext context) =>
        stage is not (RuleStage.Client or RuleStage.Helo) && context.FindSuspension() is { } suspension
            ? new AskedRule(
                new RulePlace(Decision.Suspended, stage),
                new RuleAnswer.Refuse(
                    Refusals.Suspended(context, suspension),
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"the {suspension.Of.Word()} {suspension.Name} is suspended until "
                            + $"{suspension.Until.UtcDateTime:yyyy-MM-dd HH:mm} UTC by {suspension.By}: {suspension.Reason}"),
                    Remedies.Resume(suspension))
                {
                    Mend = world => world.Resumed.Add((suspension.Of, suspension.Name)),
                })
            : null;

    /// <summary>
    /// A sender that the account may have and the credential may not. The null sender is every login's, as it is every account's.
    /// </summary>
    private async ValueTask<AskedRule?> OtherSenderAsync(RuleContext context, CancellationToken ct)
    {
        if (stage != RuleStage.Sender || context.Facts.Credential is null || context.Sender.Mailbox is not { } sender)
            return null;
        try
        {
            return await context.FindCredentialAsync(ct) switch
            {
                null => InPlaceOfRule(
                    Decision.CredentialSenders,
                    new RuleAnswer.Refuse(
                        Refusals.NotOwned(context),
                        $"credential {context.Facts.Credential} of {context.Facts.ProvenBy} is there no more",
                        Remedies.RestoreCredentialAsync)
                    {
                        Mend = static world => world.Facts = world.Facts with { Credential = null },
                    }),
                { } credential when !credential.Limits.MaySendAs(sender) => InPlaceOfRule(
                    Decision.CredentialSenders,
                    new RuleAnswer.Refuse(
                        Refusals.NotOwned(context),
                        $"credential {credential.Said} may send as {string.Join(" and ", credential.Limits.Senders)}, and not as {sender}",
                        Remedies.WidenCredentialAsync)),
                _ => null,
            };
        }
        catch (DirectoryUnavailableException e)
        {
            return InPlaceOfRule(
                Decision.CredentialSenders, new RuleAnswer.Refuse(Refusals.Temporary, $"directory unavailable: {e.Message}"));
        }
    }

    /// <summary>Counts for the rules that want it; the one whose limit is used up by now decides after all.</summary>
    private async ValueTask<AskedRule?> CountAsync(
        RuleContext context, ImmutableArray<AskedRule>.Builder asked, int first, CancellationToken ct)
    {
        for (var i = first; i < asked.Count; i++)
        {
            if (asked[i] is not { Answer: RuleAnswer.Pass { Charge: { } charge }, Place: ListedRule listed }
                || await listed.CountAsync(charge, context, ct) is not { } over)
                continue;
            if (listed.IsOnTrial)
            {
                asked[i] = asked[i] with { Answer = RuleAnswer.Would.Of(over) };
                context.Trials?.Count(listed.Word, stage);
                continue;
            }

            asked.Count = i + 1;
            asked[i] = asked[i] with { Answer = over };
            return asked[i];
        }

        return null;
    }
}

/// <summary>
/// One entry of a list of rules: a word, and what stands behind it, as <c>key: value, key: value</c>, or one value where the rule says
/// which key it is short for. Entries are equal when they are written alike.
/// </summary>
public sealed record RuleEntry(string Word, string Arguments = "")
{
    /// <summary>Reads <c>word</c> or <c>word arguments</c>.</summary>
    public static RuleEntry Parse(string text) =>
        text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space
            ? new RuleEntry(text[..space], text[(space + 1)..].Trim())
            : new RuleEntry(text);

    /// <summary>The word without what puts it on trial.</summary>
    public string PlainWord => ListedRule.Plain(Word);

    public static implicit operator RuleEntry(string text) => Parse(text);

    public override string ToString() => Arguments.Length == 0 ? Word : $"{Word} {Arguments}";
}

/// <summary>A word in a list of rules that means nothing there.</summary>
/// <param name="Nearest">The known word that was probably meant; null when none is near.</param>
/// <param name="Message">The whole sentence, without a place in a file.</param>
public sealed record RuleWordProblem(string Word, RuleStage Stage, string? Nearest, string Message);
