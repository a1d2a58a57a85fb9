namespace Postern.Relay.Policy;

/// <summary>
/// What is written behind the word of a rule, as the rule asks for it. A key is known by being asked for: the same calls read a list of
/// rules, find keys that are unknown, and write the reference of the configuration.
/// </summary>
public abstract class RuleArguments
{
    /// <summary>A value that may be left out.</summary>
    /// <param name="fallbackText">The default as the reference prints it.</param>
    public abstract T Value<T>(string key, ArgumentKind<T> kind, T fallback, string fallbackText, string doc);

    /// <summary>A value that must be there; where it is not, whatever is returned is not used.</summary>
    public abstract T Required<T>(string key, ArgumentKind<T> kind, string doc);
}

/// <summary>
/// Arguments read from the text of an entry, which a configuration has checked before: what is wrong here is the caller's mistake.
/// </summary>
/// <param name="shorthand">The key that a value without one is for; null where there is none.</param>
internal sealed class TextArguments(RuleEntry entry, string? shorthand) : RuleArguments
{
    private readonly Dictionary<string, string> unread = Split(entry, shorthand);

    public override T Value<T>(string key, ArgumentKind<T> kind, T fallback, string fallbackText, string doc) =>
        !unread.Remove(key, out var text) ? fallback
            : kind.Read(text, out var value) ? value
            : throw Wrong(entry, $"{key}: '{text}' is not right here, expected {kind.Expected}");

    public override T Required<T>(string key, ArgumentKind<T> kind, string doc) =>
        unread.ContainsKey(key)
            ? Value(key, kind, default!, string.Empty, doc)
            : throw Wrong(entry, $"{key} is missing, expected {kind.Expected}");

    /// <exception cref="ArgumentException">Something was written that nobody asked for.</exception>
    public void MustBeRead()
    {
        if (unread.Count > 0)
            throw Wrong(entry, $"it has no argument {string.Join(", ", unread.Keys)}");
    }

    private static Dictionary<string, string> Split(RuleEntry entry, string? shorthand)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in ArgumentText.Split(entry.Arguments))
        {
            if (!arguments.TryAdd(key ?? shorthand ?? throw Wrong(entry, "it takes no single argument"), value))
                throw Wrong(entry, $"'{key ?? value}' is given twice");
        }

        return arguments;
    }

    private static ArgumentException Wrong(RuleEntry entry, string what) => new($"the rule {entry.Word}: {what}", nameof(entry));
}
