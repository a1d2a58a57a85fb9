using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Policy.Own;

namespace Postern.Relay.Policy;

/// <summary>
/// Lists of rules that have a name, which any list may ask as if it were a rule (Postfix's restriction classes). One that decides, decides
/// for the list that asked it.
/// </summary>
/// <param name="own">Rules of the embedder; their words may stand in lists.</param>
/// <exception cref="ArgumentException">One of them has the word of another, of a list or of a rule that ships, or none.</exception>
internal sealed class RuleClasses(
    ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> lists, ImmutableArray<IOwnRule> own = default)
{
    private readonly FrozenDictionary<string, OwnRule> own = Known(lists, own.IsDefault ? [] : own);
    private readonly ConcurrentDictionary<(string Name, RuleStage Stage), ImmutableArray<ListedRule>> made = [];

    public bool Has(string name) => lists.ContainsKey(name);

    /// <summary>The embedder's rule of a word; null where there is none.</summary>
    public IRelayRule? Own(string word) => own.GetValueOrDefault(word);

    /// <summary>What is wrong with the word of a rule at a stage; null where it can stand there.</summary>
    public string? WhyNotRule(string word, RuleStage stage) => Own(word) is not { } rule ? RelayRules.Check(stage, word)?.Message
        : rule.Stages.HasFlag(stage) ? null
        : $"the rule {word} cannot stand at the {stage.ToWord()} stage";

    private static FrozenDictionary<string, OwnRule> Known(
        ImmutableSortedDictionary<string, ImmutableArray<RuleEntry>> lists, ImmutableArray<IOwnRule> own)
    {
        var known = new Dictionary<string, OwnRule>(StringComparer.Ordinal);
        foreach (var rule in own)
        {
            if (RelayRules.WhyNotCalled(rule.Name) is { } problem)
                throw new ArgumentException($"a rule of this program: {problem}", nameof(own));
            if (lists.ContainsKey(rule.Name) || !known.TryAdd(rule.Name, new OwnRule(rule)))
                throw new ArgumentException($"a rule of this program is called {rule.Name}, and something else is too", nameof(own));
        }

        return known.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>The rules of a list as a stage asks them.</summary>
    /// <exception cref="ArgumentException">
    /// There is no such list, one of its rules cannot stand at the stage, or it asks itself; <see cref="WhyNot(string, RuleStage)"/> tells
    /// before.
    /// </exception>
    public ImmutableArray<ListedRule> Of(string name, RuleStage stage) => made.GetOrAdd(
        (name, stage),
        static (key, classes) => classes.Make(key.Name, key.Stage),
        this);

    /// <summary>Why a list cannot be asked at a stage; null where it can.</summary>
    public string? WhyNot(string name, RuleStage stage) => WhyNot(name, stage, []);

    private ImmutableArray<ListedRule> Make(string name, RuleStage stage) => WhyNot(name, stage) is { } problem
        ? throw new ArgumentException(problem, nameof(name))
        : RelayRules.Compile(stage, lists[name], this, name);

    private string? WhyNot(string name, RuleStage stage, ImmutableArray<string> asking)
    {
        if (!lists.TryGetValue(name, out var entries))
            return $"no list of rules is called {name}";
        if (asking.Contains(name))
            return $"the list {name} asks itself: {string.Join(" -> ", asking.Add(name))}";
        foreach (var entry in entries)
        {
            var word = ListedRule.Plain(entry.Word);
            var problem = Has(word)
                ? WhyNot(word, stage, asking.Add(name))
                : WhyNotRule(word, stage) is { } message ? $"the list {name}: {message}" : null;
            if (problem is not null)
                return problem;
        }

        return null;
    }
}

/// <summary>A list that has a name, in the place of a rule.</summary>
internal sealed class NamedList(string name) : IRelayRule
{
    public string Name => name;

    public string Doc => "ask: the rules of a list that has a name";

    public RuleStage Stages => RelayRules.EveryStage;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(new RuleAnswer.Ask(name, "a list of rules"));
}
