namespace Postern.Relay.Policy;

/// <summary>Arguments read from the text of an entry, which a configuration has checked before: what is wrong here is the caller's mistake.</summary>
/// <param name="shorthand">The key that a value without one is for; null where there is none.</param>
internal sealed class TextArguments(RuleEntry entry, string? shorthand) : RuleArguments
{
    private readonly Dictionary<string, string> unread = Split(entry, shorthand);

    public override T Value<T>(string key, ArgumentKind<T> kind, T fallback, string fallbackText, string doc) =>
        !unread.Remove(key, out var text) ? fallback : kind.Read(text, out var value) ? value : throw Wrong(entry, $"{key}: '{text}' is not right here, expected {kind.Expected}");

    public override T Required<T>(string key, ArgumentKind<T> kind, string doc) =>
        unread.ContainsKey(key) ? Value(key, kind, default!, string.Empty, doc) : throw Wrong(entry, $"{key} is missing, expected {kind.Expected}");

    /// <exception cref="ArgumentException">Something was written that nobody asked for.</exception>
    public void MustBeRead()
    {
        if (unread.Count > 0)
            throw Wrong(entry, $"it has no argument {string.Join(", ", unread.Keys)}");
    }

    private static Dictionary<string, string> Split(RuleEntry entry, string? shorthand)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in entry.Arguments.Split(", ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = part.IndexOf(": ", StringComparison.Ordinal);
            if (!arguments.TryAdd(colon < 0 ? shorthand ?? throw Wrong(entry, "it takes no single argument") : part[..colon], colon < 0 ? part : part[(colon + 2)..]))
                throw Wrong(entry, $"'{part}' is given twice");
        }

        return arguments;
    }

    private static ArgumentException Wrong(RuleEntry entry, string what) => new($"the rule {entry.Word}: {what}", nameof(entry));
}
