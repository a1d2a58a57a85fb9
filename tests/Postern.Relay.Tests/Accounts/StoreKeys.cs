using System.Collections.Immutable;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;

namespace Postern.Relay.Tests.Accounts;

/// <summary>An entry of <c>accounts</c> with a few keys; what is wrong with one is an error of the test.</summary>
internal sealed class StoreKeys(params (string Key, string Value)[] keys) : IStoreSection
{
    /// <summary>What <see cref="Secrets"/> answers with.</summary>
    public ImmutableArray<(string Name, Secret Secret)> Named { get; init; } = [];

    /// <summary>What was wrong, where the test wants to know; else it is thrown.</summary>
    public List<string>? Problems { get; init; }

    /// <summary>Entries of lists of sections, in their order.</summary>
    public ImmutableArray<(string Key, StoreKeys Entry)> Lists { get; init; } = [];

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

    public ImmutableArray<T> Children<T>(string key, Func<IStoreSection, T> read, string doc) => [.. Lists.Where(list => list.Key == key).Select(list => read(list.Entry))];

    /// <summary>Keys of a section below this one may be written with a dot, and count before others.</summary>
    public T Child<T>(string key, Func<IStoreSection, T> read, string doc) =>
        read(new StoreKeys([.. keys.Where(k => k.Key.StartsWith($"{key}.", StringComparison.Ordinal)).Select(k => (k.Key[(key.Length + 1)..], k.Value)), .. keys]) { Named = Named, Problems = Problems });

    public void Report(string key, string message)
    {
        if (Problems is null)
            throw new InvalidOperationException($"{key}: {message}");
        Problems.Add($"{key}: {message}");
    }

    private string? Find(string key) => keys.FirstOrDefault(k => k.Key == key).Value;
}
