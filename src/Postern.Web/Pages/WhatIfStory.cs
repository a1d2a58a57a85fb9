using System.Collections.Immutable;
using Postern.Relay.Audit.Events;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>Makes what the page shows of the answer to a question.</summary>
internal static class WhatIfStory
{
    public static WhatIfView Of(WhatIfAnswer answer)
    {
        var decision = answer.Decisions.IsDefaultOrEmpty ? null : answer.Decisions[0];
        var (state, sentence) = (answer.Problem, decision) switch
        {
            ({ } problem, _) => (answer.IsWrong ? new State("not understood", Tone.Warn) : new State("refused", Tone.Bad), problem.What),
            (_, { Outcome: DecisionOutcome.Permit }) => (new State("permitted", Tone.Good), $"Permitted by {decision.Rule}."),
            (_, { } refused) => (new State("refused", Tone.Bad), $"Refused by {refused.Rule}: {refused.Reply}"),
            _ => (new State("not known", Tone.Warn), "No decision was made."),
        };
        return new WhatIfView(state, sentence)
        {
            Todo = answer.Problem?.Todo,
            Change = answer.Change,
            Decision = decision is null ? null : DecisionView.Of(decision),
            Facts = FactsOf(answer),
        };
    }

    private static ImmutableArray<Fact> FactsOf(WhatIfAnswer answer)
    {
        var facts = ImmutableArray.CreateBuilder<Fact>();
        if (!answer.Effects.IsDefaultOrEmpty)
            facts.Add(new("with the message", string.Join("; ", answer.Effects)));
        if (answer.Expansion is { } expansion)
            facts.Add(new(
                "stands for", expansion.Problem ?? $"{Figures.Count(expansion.Count, "address", "addresses")}, by {expansion.From}"));
        if (answer.Route is { } route)
            facts.Add(new("route", route.Hop is { } hop ? $"{route.Route ?? "-"}: {hop}" : "held: there is no route"));
        if (answer.Signing is { } signing)
            facts.Add(new(
                "signed by", signing.Problem ?? (signing.Keys.IsDefaultOrEmpty ? "no key" : string.Join(", ", signing.Keys))));
        if (answer.Configuration is { Id.Length: > 0 } configuration)
            facts.Add(new("configuration", configuration.Differs is { } differs ? $"{configuration.Id} ({differs})" : configuration.Id));
        return facts.DrainToImmutable();
    }
}
