using System.Collections.Immutable;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;

namespace Postern.Bench;

/// <summary>An entry of <c>accounts</c> with a few keys; the others have their defaults.</summary>
internal sealed class StoreKeys(params (string Key, string Value)[] keys) : IStoreSection
{
    public ImmutableArray<(string Name, Secret Secret)> Named { get; init; } = [];

    public bool Has(string key) => Find(key) is not null;

    public string? Text(string key, string? fallbackText, string doc) => Find(key);

    public T Word<T>(string key, IReadOnlyList<(string Word, T Value)> words, T fallback, string fallbackText, string doc) =>
        Find(key) is { } word ? words.First(w => w.Word == word).Value : fallback;

    public TimeSpan Duration(string key, TimeSpan fallback, string fallbackText, string doc) => fallback;

    public int Count(string key, int fallback, string fallbackText, string doc) => fallback;

    public string? FilePath(string key, string fallbackText, string doc) => Find(key);

    public Secret? Secret(string key, string doc) => Find(key) is { } text ? new Secret(text) : null;

    public ImmutableArray<(string Name, Secret Secret)> Secrets(string key, string doc) => Named;

    public ImmutableArray<string> Texts(string key, ImmutableArray<string> fallback, string fallbackText, string doc) =>
        Find(key) is { } texts ? [.. texts.Split(' ')] : fallback;

    public ImmutableArray<T> Children<T>(string key, Func<IStoreSection, T> read, string doc) => [];

    public T Child<T>(string key, Func<IStoreSection, T> read, string doc) => read(this);

    public void Report(string key, string message) => throw new InvalidOperationException($"{key}: {message}");

    private string? Find(string key) => keys.FirstOrDefault(k => k.Key == key).Value;
}
