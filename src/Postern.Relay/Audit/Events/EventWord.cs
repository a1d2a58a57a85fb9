using System.Collections.Immutable;
using System.Text.Json;

namespace Postern.Relay.Audit.Events;

/// <summary>How the values of a closed list stand in the log: the names of the enumeration in lower case, with underscores.</summary>
public static class EventWord
{
    /// <summary>The words of a list, in its order.</summary>
    public static ImmutableArray<string> All<T>()
        where T : struct, Enum => [.. Words<T>.Texts];

    /// <summary>The word; null for null.</summary>
    public static string? Of<T>(T? value)
        where T : struct, Enum => value is { } some ? Of(some) : null;

    public static string Of<T>(T value)
        where T : struct, Enum => Words<T>.Texts[Array.IndexOf(Words<T>.Values, value)];

    /// <exception cref="FormatException">The list has no such word.</exception>
    internal static T Parse<T>(string word)
        where T : struct, Enum =>
        Array.IndexOf(Words<T>.Texts, word) is >= 0 and var at ? Words<T>.Values[at] : throw new FormatException(word);

    /// <summary>The lists are short: looking through one is quicker than a table, and costs a start nothing.</summary>
    private static class Words<T>
        where T : struct, Enum
    {
        public static readonly T[] Values = Enum.GetValues<T>();

        public static readonly string[] Texts = Array.ConvertAll(
            Values, static value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
    }
}
