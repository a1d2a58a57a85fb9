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
            written.Add(ArgumentText.Of(key, text));
    }

    private static Kind<T> KindOf<T>(ArgumentKind<T> kind) =>
        new(kind.Name, kind.Expected, (string text, out T value) => kind.Read(text, out value), []);
}
