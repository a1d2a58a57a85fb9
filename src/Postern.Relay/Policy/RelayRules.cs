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
        new PermitSystemUser(),
        new RejectClients(),
        new RejectNonFqdnHeloHostname(),
        new RejectOverLimit(),
        new RejectSenderLoginMismatch(),
        new RejectSuppressedRecipient(),
        new RejectUnauthDestination(),
        new RejectUnlistedDomain(),
        new RejectUnlistedNetworkSender(),
        new RejectUnlistedRecipient(),
    ];

    /// <summary>The words that may stand in the list of a stage.</summary>
    public static ImmutableArray<string> Names(RuleStage stage) =>
        [.. All.Where(rule => rule.Stages.HasFlag(stage)).Select(static rule => rule.Name)];

    /// <summary>What is wrong with a word of the configuration; null when it names a rule that can stand at the stage.</summary>
    public static RuleWordProblem? Check(RuleStage stage, string word)
    {
        if (Find(word) is { } rule)
            return rule.Stages.HasFlag(stage)
                ? null
                : new RuleWordProblem(word, stage, Nearest: null, $"the rule {word} cannot stand at the {stage.ToWord()} stage");
        var nearest = NearestName.Of(word, Names(stage));
        return new RuleWordProblem(
            word, stage, nearest, nearest is null ? $"no rule is called {word}" : $"no rule is called {word}; {nearest} is the nearest");
    }

    /// <summary>Has the rule of a known word ask for its arguments.</summary>
    public static void Read(RuleStage stage, string word, RuleArguments arguments) => ListedRule.Read(Find(word)!, stage, arguments);

    /// <summary>The argument that a single value behind the word is for; null where there is none.</summary>
    public static string? ShorthandOf(string word) => Find(word)?.Shorthand;

    /// <summary>
    /// The rules that take arguments of their own, and what the reference says of them.
    /// </summary>
    public static IEnumerable<(string Word, string Doc)> WithArguments =>
        from rule in All
        where rule.ArgumentsDoc is not null
        select (rule.Name, rule.ArgumentsDoc);

    /// <summary>The stages at which the rule of a known word can stand.</summary>
    public static IReadOnlyList<RuleStage> StagesOf(string word) =>
        Array.FindAll(Enum.GetValues<RuleStage>(), stage => Find(word)!.Stages.HasFlag(stage));

    /// <exception cref="ArgumentException">A word names no rule of the stage, or its arguments are wrong.</exception>
    internal static ImmutableArray<ListedRule> Compile(RuleStage stage, ImmutableArray<RuleEntry> entries) =>
    [
        .. entries.Select(
            entry => Check(stage, entry.Word) is { } problem
                ? throw new ArgumentException(problem.Message, nameof(entries))
                : Compile(stage, entry)),
    ];

    /// <summary>The stage as configuration and log write it.</summary>
    public static string ToWord(this RuleStage stage) => stage switch
    {
        RuleStage.Client => "client",
        RuleStage.Helo => "helo",
        RuleStage.Sender => "sender",
        RuleStage.Message => "message",
        _ => "recipient",
    };

    private static ListedRule Compile(RuleStage stage, RuleEntry entry)
    {
        var rule = Find(entry.Word)!;
        var arguments = new TextArguments(entry, rule.Shorthand);
        var listed = ListedRule.Read(rule, stage, arguments);
        arguments.MustBeRead();
        return listed;
    }

    private static IRelayRule? Find(string word) => All.FirstOrDefault(rule => string.Equals(rule.Name, word, StringComparison.Ordinal));
}
