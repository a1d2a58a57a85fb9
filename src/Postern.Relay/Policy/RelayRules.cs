using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Rules;

namespace Postern.Relay.Policy;

/// <summary>Every rule there is. A new rule is one file in <c>Rules/</c> and one line here.</summary>
public static class RelayRules
{
    internal static ImmutableArray<IRelayRule> All { get; } =
    [
        new PermitAuthenticated(),
        new PermitNetworkForDomain(),
        new PermitNetworks(),
        new RejectSenderLoginMismatch(),
        new RejectUnauthDestination(),
        new RejectUnlistedDomain(),
        new RejectUnlistedNetworkSender(),
    ];

    /// <summary>The words that may stand in the list of a stage.</summary>
    public static ImmutableArray<string> Names(RuleStage stage) => [.. All.Where(rule => rule.Stages.HasFlag(stage)).Select(static rule => rule.Name)];

    /// <summary>What is wrong with a word of the configuration; null when it names a rule that can stand at the stage.</summary>
    public static RuleWordProblem? Check(RuleStage stage, string word)
    {
        if (Find(word) is { } rule)
            return rule.Stages.HasFlag(stage) ? null : new RuleWordProblem(word, stage, Nearest: null, $"the rule {word} cannot stand at the {stage.ToWord()} stage");
        var nearest = NearestName.Of(word, Names(stage));
        return new RuleWordProblem(word, stage, nearest, nearest is null ? $"no rule is called {word}" : $"no rule is called {word}; {nearest} is the nearest");
    }

    internal static ImmutableArray<IRelayRule> Compile(RuleStage stage, ImmutableArray<string> words) =>
    [
        .. words.Select(word => Check(stage, word) is { } problem ? throw new ArgumentException(problem.Message, nameof(words)) : Find(word)!),
    ];

    internal static string ToWord(this RuleStage stage) => stage == RuleStage.Sender ? "sender" : "recipient";

    private static IRelayRule? Find(string word) => All.FirstOrDefault(rule => string.Equals(rule.Name, word, StringComparison.Ordinal));
}
