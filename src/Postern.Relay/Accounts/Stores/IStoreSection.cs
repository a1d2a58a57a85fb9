using System.Collections.Immutable;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// An entry of <c>accounts</c>, as the kind of store reads it that the entry names. A key is known by being asked for: the same calls read
/// a file, find its mistakes with their lines and columns, and write the reference. After a mistake the answer is the default, and nothing
/// is opened.
/// </summary>
public interface IStoreSection
{
    /// <summary>The key was written.</summary>
    bool Has(string key);

    /// <summary>Some text; null where it was left out.</summary>
    /// <param name="fallbackText">What the reference says of a key that is left out; null for one that must be there.</param>
    string? Text(string key, string? fallbackText, string doc);

    /// <summary>One of a few words.</summary>
    T Word<T>(string key, IReadOnlyList<(string Word, T Value)> words, T fallback, string fallbackText, string doc);

    /// <summary>A duration, longer than nothing.</summary>
    TimeSpan Duration(string key, TimeSpan fallback, string fallbackText, string doc);

    /// <summary>A whole number, at least 1.</summary>
    int Count(string key, int fallback, string fallbackText, string doc);

    /// <summary>A path, made absolute against the file's directory; null where it was left out.</summary>
    string? FilePath(string key, string fallbackText, string doc);

    /// <summary>
    /// A secret, taken from where it is kept: itself, <c>file:PATH</c>, <c>credential:NAME</c> of systemd's, <c>vault:PATH#KEY</c> or
    /// <c>${VARIABLE}</c>; null where it was left out or cannot be had.
    /// </summary>
    Secret? Secret(string key, string doc);

    /// <summary>A section whose keys are names, with a secret each.</summary>
    ImmutableArray<(string Name, Secret Secret)> Secrets(string key, string doc);

    /// <summary>A list of texts; a single one counts as a list of one.</summary>
    ImmutableArray<string> Texts(string key, ImmutableArray<string> fallback, string fallbackText, string doc) =>
        Text(key, fallbackText, doc) is { } one ? [one] : fallback;

    /// <summary>A list of sections; empty where it was left out, and where nothing but single values can be written.</summary>
    ImmutableArray<T> Children<T>(string key, Func<IStoreSection, T> read, string doc) => [];

    /// <summary>A section below this one.</summary>
    T Child<T>(string key, Func<IStoreSection, T> read, string doc);

    /// <summary>Reports what is wrong with the value of a key. It quotes nothing that may be secret.</summary>
    void Report(string key, string message);
}
