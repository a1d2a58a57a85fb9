using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Counters;

namespace Postern.Relay.Policy;

/// <summary>One entry of a list: a rule with its arguments, and what counts where it cannot say anything.</summary>
internal sealed record ListedRule(string Word, RuleStage Stage, string? In, IRelayRule Rule, ListedRule.OnError Otherwise)
    : RulePlace(Word, Stage, In)
{
    private static readonly ArgumentKind<OnError> Choices = ArgumentKinds.Word(
        ("defer", OnError.Defer), ("pass", OnError.Pass), ("refuse", OnError.Refuse));

    private const string WhatCannotSay = "mend what does not answer, as it says here; or say on_error: pass of the rule";

    public enum OnError
    {
        /// <summary>451: the client comes again. Without its facts a rule cannot pass: the one behind it might permit.</summary>
        Defer,
        Pass,
        Refuse,
    }

    public bool IsOnTrial { get; } = Plain(Word).Length != Word.Length;

    /// <summary>The rule or list that a word of the configuration names, on trial or not.</summary>
    public static string Plain(string word) =>
        word.StartsWith(RelayRules.OnTrial, StringComparison.Ordinal) ? word[RelayRules.OnTrial.Length..] : word;

    /// <param name="place">Its word is the rule's, with what puts it on trial.</param>
    public static ListedRule Read(IRelayRule rule, RulePlace place, RuleArguments arguments)
    {
        var otherwise = arguments.Value(
            "on_error",
            Choices,
            OnError.Defer,
            "`defer`",
            "What counts where the rule cannot see what it needs, in time: `defer` answers 451, "
                + "`pass` asks the next rule, `refuse` answers 550.");
        return new ListedRule(place.Word, place.Stage, place.In, rule.With(place.Stage, arguments), otherwise);
    }

    /// <summary>
    /// Never throws for what cannot be looked up. A look-up that takes longer than the policy's patience is not waited for.
    /// </summary>
    public ValueTask<RuleAnswer> AskAsync(RuleContext context, CancellationToken ct)
    {
        try
        {
            // Most know at once.
            var asked = Rule.AnswerAsync(context, ct);
            return asked is { IsCompletedSuccessfully: true, Result: var answer } ? new(Said(answer)) : WaitAsync(asked, context, ct);
        }
        catch (Exception e) when (CannotSay(e) is not null)
        {
            return new(Instead(CannotSay(e)!, RepairAsync));
        }
    }

    /// <summary>Counts what the rule has asked to be counted; its answer where that does not fit any more, else null.</summary>
    public async ValueTask<RuleAnswer?> CountAsync(Charge charge, RuleContext context, CancellationToken ct)
    {
        try
        {
            var level = await context.Counters.TakeAsync(charge.Key, charge.Limit, charge.Cost, ct).AsTask()
                .WaitAsync(context.Options.Patience, context.Clock, ct);
            if (!level.Fits)
                return charge.Over(level);
            if (LimitNews.IsNear(charge.Limit, level))
                context.News?.Tell(charge.Key, charge.Limit, level, LimitState.Warned, context.Facts);
            return null;
        }
        catch (Exception e) when (CannotSay(e) is not null)
        {
            return Instead(CannotSay(e)!, RepairAsync) is RuleAnswer.Refuse refuse ? refuse : null;
        }
    }

    private async ValueTask<RuleAnswer> WaitAsync(ValueTask<RuleAnswer> asked, RuleContext context, CancellationToken ct)
    {
        try
        {
            return Said(await asked.AsTask().WaitAsync(context.Options.Patience, context.Clock, ct));
        }
        catch (Exception e) when (CannotSay(e) is not null)
        {
            return Instead(CannotSay(e)!, RepairAsync);
        }
    }

    private RuleAnswer Said(RuleAnswer answer) => answer is RuleAnswer.CannotSay(var why, var remedy) ? Instead(why, remedy) : answer;

    private static string? CannotSay(Exception e) => e switch
    {
        DirectoryUnavailableException => $"directory unavailable: {e.Message}",
        TimeoutException => "no answer in time",
        IOException => $"it cannot be looked up: {e.Message}",
        _ => null,
    };

    private static ValueTask<string> RepairAsync(RuleContext context, CancellationToken ct) =>
        new(WhatCannotSay);

    private RuleAnswer Instead(string why, Remedy? remedy) => Otherwise switch
    {
        OnError.Pass => new RuleAnswer.Pass($"{why}; on_error is pass"),
        OnError.Refuse => new RuleAnswer.Refuse(Refusals.CannotSay, $"{why}; on_error is refuse", remedy ?? RepairAsync),
        _ => new RuleAnswer.Refuse(Refusals.Temporary, why, remedy ?? RepairAsync),
    };
}

/// <summary>Where something stands in the lists of rules: a rule (<see cref="ListedRule"/>), or what decides in the place of one.</summary>
/// <param name="Word">As the list has it, and the chain of a decision too.</param>
/// <param name="In">The list that has a name; null for the stage's own.</param>
internal record RulePlace(string Word, RuleStage Stage, string? In = null);

/// <summary>A rule that was asked, and its answer. One is made for every rule and recipient: as small as may be.</summary>
internal readonly record struct AskedRule(RulePlace Place, RuleAnswer Answer)
{
    public string Rule => Place.Word;

    /// <summary>
    /// The step as the decision keeps it. A remedy matters only where the decision is a refusal; one that cannot be found out now is left
    /// out.
    /// </summary>
    /// <param name="decided">The stage of the decision.</param>
    public ValueTask<RuleStep> ToStepAsync(RuleContext context, RuleStage decided, bool withRemedy, CancellationToken ct) =>
        withRemedy && Answer.Remedy is { } ask ? WithRemedyAsync(ask, context, decided, ct) : new(ToStep(decided, remedy: null));

    private async ValueTask<RuleStep> WithRemedyAsync(Remedy ask, RuleContext context, RuleStage decided, CancellationToken ct)
    {
        try
        {
            return ToStep(decided, await ask(context, ct));
        }
        catch (DirectoryUnavailableException)
        {
            // The refusal is made already, and it is no less true.
            return ToStep(decided, remedy: null);
        }
    }

    private RuleStep ToStep(RuleStage decided, string? remedy) =>
        new(Rule, Answer.Saw, Answer.Said, remedy) { Stage = Place.Stage == decided ? null : Place.Stage.ToWord(), In = Place.In };
}

/// <summary>What the rules of a stage said, and those asked before them.</summary>
/// <param name="Decider">The last one asked, where it did not pass; null where the list came to its end.</param>
internal sealed record Judged(RuleStage Stage, RuleContext Context, ImmutableArray<AskedRule> Asked, AskedRule? Decider)
{
    public bool IsRefusal => Decider is { Answer: RuleAnswer.Refuse };

    /// <summary>What is to be done with the message.</summary>
    /// <param name="from">Where the answers of this list begin.</param>
    public ImmutableArray<MessageEffect> Effects(int from)
    {
        var effects = ImmutableArray.CreateBuilder<MessageEffect>();
        for (var i = from; i < Asked.Length; i++)
        {
            if (Asked[i].Answer is RuleAnswer.Pass { Effect: { } effect })
                effects.Add(effect is MessageEffect.Hold hold ? hold with { Rule = Asked[i].Rule } : effect);
        }

        return effects.Count == 0 ? [] : effects.DrainToImmutable();
    }
}
