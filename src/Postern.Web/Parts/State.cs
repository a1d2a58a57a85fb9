using Postern.Relay.Audit.Events;

namespace Postern.Web.Parts;

/// <summary>How something stands: a word, and how good that is. The tone gives a shape and a colour, which only repeat the word.</summary>
public readonly record struct State(string Word, Tone Tone)
{
    public static State Of(DeliveryOutcome outcome) => new(EventWord.Of(outcome), outcome switch
    {
        DeliveryOutcome.Delivered => Tone.Good,
        DeliveryOutcome.Deferred => Tone.Warn,
        _ => Tone.Bad,
    });

    public static State Of(DecisionOutcome outcome) =>
        outcome == DecisionOutcome.Permit ? new("permitted", Tone.Good) : new("refused", Tone.Bad);

    public static State Of(AuthOutcome outcome) => new(EventWord.Of(outcome).Replace('_', ' '), outcome switch
    {
        AuthOutcome.Ok => Tone.Good,
        AuthOutcome.Failed => Tone.Bad,
        AuthOutcome.Unavailable => Tone.Warn,
        _ => Tone.Plain,
    });

    /// <summary>The word of a message in the queue, or of one of its recipients.</summary>
    public static State OfQueue(string word) => new(word, word switch
    {
        "delivered" => Tone.Good,
        "failed" => Tone.Bad,
        "deferred" or "no route" or "held (errors here)" => Tone.Warn,
        "held" or "suspended" => Tone.Held,
        _ => Tone.Plain,
    });

    /// <summary>What a rule said.</summary>
    public static State OfRule(string said) => new(said, said switch
    {
        "permit" => Tone.Good,
        "refuse" => Tone.Bad,
        "defer" => Tone.Warn,
        _ => Tone.Plain,
    });
}

/// <summary>Each has a shape of its own.</summary>
public enum Tone
{
    /// <summary>Nothing to say: a ring.</summary>
    Plain,

    /// <summary>A disc.</summary>
    Good,

    /// <summary>A triangle.</summary>
    Warn,

    /// <summary>A square.</summary>
    Bad,

    /// <summary>Two bars.</summary>
    Held,
}
