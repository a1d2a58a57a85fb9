using Postern.Relay.Policy;

namespace Postern.Configuration.Reading;

/// <summary>The arguments of a rule, read from its place in the file.</summary>
internal sealed class SectionArguments(Section section) : RuleArguments
{
    private readonly List<string> written = [];

    /// <summary>What was read, as <see cref="RuleEntry"/> keeps it.</summary>
    public string Text => string.Join(", ", written);

    public override T Value<T>(string key, ArgumentKind<T> kind, T fallback, string fallbackText, string doc)
    {
        Note(key);
        return section.Value(key, KindOf(kind), fallback, fallbackText, doc);
    }

    public override T Required<T>(string key, ArgumentKind<T> kind, string doc)
    {
        Note(key);
        return section.Required(key, KindOf(kind), doc);
    }

    private void Note(string key)
    {
        if (section.ScalarOf(key) is { } text)
            written.Add($"{key}: {text}");
    }

    private static Kind<T> KindOf<T>(ArgumentKind<T> kind) =>
        new(kind.Name, kind.Expected, (string text, out T value) => !Refuses(text, out value) && kind.Read(text, out value), []);

    /// <summary>A comma with a space separates arguments where they are kept as text.</summary>
    private static bool Refuses<T>(string text, out T value)
    {
        value = default!;
        return text.Contains(", ", StringComparison.Ordinal) || text.Contains(": ", StringComparison.Ordinal);
    }
}
