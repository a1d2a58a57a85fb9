using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;

namespace Postern.Configuration;

/// <summary>An entry of <c>accounts</c> as a kind of store reads it.</summary>
/// <param name="kind">
/// Stands in the reference before what a key means: several kinds share a table there. Null for a section of its own.
/// </param>
internal sealed class StoreSection(Section section, AccountStoreKind? kind) : IStoreSection
{
    public bool Has(string key) => section.Has(key);

    public string? Text(string key, string? fallbackText, string doc) =>
        fallbackText is null
            ? section.Required(key, Kinds.Text, Of(doc))
            : section.Value<string?>(key, Kinds.Text!, fallback: null, fallbackText, Of(doc));

    public T Word<T>(string key, IReadOnlyList<(string Word, T Value)> words, T fallback, string fallbackText, string doc) =>
        section.Value(key, Kinds.Word([.. words]), fallback, fallbackText, Of(doc));

    public TimeSpan Duration(string key, TimeSpan fallback, string fallbackText, string doc) =>
        section.Value(key, Kinds.Duration, fallback, fallbackText, Of(doc));

    public int Count(string key, int fallback, string fallbackText, string doc) =>
        section.Value(key, Kinds.Count, fallback, fallbackText, Of(doc));

    public string? FilePath(string key, string fallbackText, string doc) => section.FilePath(key, fallback: null, fallbackText, Of(doc));

    public Secret? Secret(string key, string doc) => section.Secret(key, Of(doc));

    public ImmutableArray<(string Name, Secret Secret)> Secrets(string key, string doc) => section.Secrets(key, Of(doc));

    public ImmutableArray<string> Texts(string key, ImmutableArray<string> fallback, string fallbackText, string doc) =>
        section.List(key, Kinds.Text, fallback, fallbackText, Of(doc));

    public ImmutableArray<T> Children<T>(string key, Func<IStoreSection, T> read, string doc) =>
        section.Children(key, child => read(new StoreSection(child, kind)), [], Of(doc));

    public T Child<T>(string key, Func<IStoreSection, T> read, string doc) =>
        section.Child(key, child => read(new StoreSection(child, kind)), Of(doc));

    public void Report(string key, string message) => section.Report(key, message);

    private string Of(string doc)
    {
        if (kind is null)
            return doc;
        var kinds = kind.SharesKeysWith.Insert(0, kind.Word).Select(static word => $"`{word}`");
        return $"Of {string.Join(", ", kinds)}: {char.ToLowerInvariant(doc[0])}{doc[1..]}";
    }
}
