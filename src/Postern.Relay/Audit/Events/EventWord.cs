using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Postern.Relay.Audit.Events;

/// <summary>How the values of a closed list stand in the log: the names of the enumeration in lower case, with underscores.</summary>
public static class EventWord
{
    /// <summary>The words of a list, in its order.</summary>
    public static ImmutableArray<string> All<T>()
        where T : struct, Enum => Words<T>.All;

    /// <summary>The word; null for null.</summary>
    public static string? Of<T>(T? value)
        where T : struct, Enum => value is { } some ? Of(some) : null;

    public static string Of<T>(T value)
        where T : struct, Enum => Words<T>.ByValue[value];

    /// <exception cref="FormatException">The list has no such word.</exception>
    internal static T Parse<T>(string word)
        where T : struct, Enum => Words<T>.ByWord.TryGetValue(word, out var value) ? value : throw new FormatException(word);

    private static class Words<T>
        where T : struct, Enum
    {
        public static FrozenDictionary<T, string> ByValue { get; } = Enum.GetValues<T>().ToFrozenDictionary(
            static value => value, static value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

        public static FrozenDictionary<string, T> ByWord { get; } = ByValue.ToFrozenDictionary(
            static pair => pair.Value, static pair => pair.Key, StringComparer.Ordinal);

        public static ImmutableArray<string> All { get; } = [.. Enum.GetValues<T>().Select(static value => ByValue[value])];
    }
}
