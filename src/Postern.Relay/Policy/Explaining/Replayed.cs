using Postern.Relay.Audit.Events;

namespace Postern.Relay.Policy.Explaining;

/// <summary>What becomes of a decision of the log under a configuration.</summary>
public abstract record Replayed
{
    private Replayed()
    {
    }

    /// <summary>What would be decided. Its remedies are not looked for.</summary>
    public sealed record Decided(Decision Decision) : Replayed;

    /// <summary>It hangs on what nobody knows any more, and the log does not say what this rule answered.</summary>
    public sealed record Unknown(string Rule, Lack Why) : Replayed;
}

/// <summary>What a rule has to know and does not.</summary>
public enum Lack
{
    /// <summary>The header section of the message, which no log keeps.</summary>
    Header,

    /// <summary>How much of a limit was used.</summary>
    Counter,

    /// <summary>What DNS said: it may say something else today.</summary>
    Dns,
}

/// <summary>
/// The answers that a decision of the log has of rules which cannot be asked again. A list may have a word several times: the first is the
/// first, and so on. Used for one question.
/// </summary>
internal sealed class RecordedAnswers(DecisionEvent recorded)
{
    private readonly Dictionary<(string Stage, string Word), int> taken = [];

    /// <summary>The message was refused when its header was known; else those rules were asked about no recipient.</summary>
    public bool IsOfMessage => recorded.Stage == RuleStage.Message.ToWord();

    /// <summary>What the rule said then; what it says now where the log does not have it.</summary>
    public RuleAnswer Instead(RuleStage stage, string word, RuleAnswer now)
    {
        var key = (stage.ToWord(), word);
        var before = taken.GetValueOrDefault(key);
        taken[key] = before + 1;
        var step = recorded.Chain
            .Where(one => (one.Stage ?? recorded.Stage) == key.Item1 && one.Rule == word)
            .ElementAtOrDefault(before);
        return step?.Said switch
        {
            "pass" => new RuleAnswer.Pass(step.Saw),
            "permit" => new RuleAnswer.Permit(step.Saw),
            "refuse" when Refusal.TryParse(recorded.Reply, out var refusal) => new RuleAnswer.Refuse(refusal, step.Saw),
            _ => now,
        };
    }
}
