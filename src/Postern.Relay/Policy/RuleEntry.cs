namespace Postern.Relay.Policy;

/// <summary>
/// One entry of a list of rules: a word, and what stands behind it, as <c>key: value, key: value</c>, or one value where the rule says which key it is short for.
/// Entries are equal when they are written alike.
/// </summary>
public sealed record RuleEntry(string Word, string Arguments = "")
{
    /// <summary>Reads <c>word</c> or <c>word arguments</c>.</summary>
    public static RuleEntry Parse(string text) =>
        text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space ? new RuleEntry(text[..space], text[(space + 1)..].Trim()) : new RuleEntry(text);

    public static implicit operator RuleEntry(string text) => Parse(text);

    public override string ToString() => Arguments.Length == 0 ? Word : $"{Word} {Arguments}";
}
