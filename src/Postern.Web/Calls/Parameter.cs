using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Primitives;
using Postern.Relay.Audit;

namespace Postern.Web.Calls;

/// <summary>What stands in the address of a call: its name, what it means, and how it is read.</summary>
/// <param name="Expects">What is right, for whoever wrote something else.</param>
internal abstract record Parameter(string Name, string Description, string Expects)
{
    private const int MostNames = 1_000;

    /// <summary>Of the schema of the description: string, integer or boolean.</summary>
    public string Type { get; init; } = "string";

    /// <summary>The words that it takes; empty for any.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    /// <summary>It may stand more than once.</summary>
    public bool IsMany { get; init; }

    /// <summary>Null where the text is not right.</summary>
    public abstract object? Read(StringValues text);

    public static Parameter<string> Text(string name, string description) =>
        new(name, description, "some text", static text =>
            text.Count == 1 && text[0] is { Length: > 0 and <= 1_024 } one ? one : null);

    /// <summary>One of these words.</summary>
    public static Parameter<string> Word(string name, string description, params ImmutableArray<string> words) =>
        new(name, description, $"one of {string.Join(", ", words)}", text =>
            text.Count == 1 ? words.FirstOrDefault(word => word.Equals(text[0], StringComparison.OrdinalIgnoreCase)) : null)
        {
            Words = words,
        };

    public static Parameter<int?> Count(string name, string description, int most) =>
        new(name, description, $"a number from 0 to {most.ToString(CultureInfo.InvariantCulture)}", text =>
            int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most
                ? number
                : null)
        {
            Type = "integer",
        };

    public static Parameter<bool?> Flag(string name, string description) =>
        new(name, description, "true or false", static text => text.ToString() switch { "true" => true, "false" => false, _ => null })
        {
            Type = "boolean",
        };

    /// <summary>RFC 3339; without an offset it is UTC.</summary>
    public static Parameter<DateTimeOffset?> Time(string name, string description) =>
        new(name, description, "a time such as 2026-11-29T10:15:03Z", static text =>
            DateTimeOffset.TryParse(
                text.ToString(),
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var at)
                && text.ToString() is [_, _, _, _, '-', ..]
                ? at
                : null);

    /// <summary>An address or CIDR.</summary>
    public static Parameter<string> Network(string name, string description) =>
        new(name, description, "an address, or a network in CIDR", static text =>
            text.Count == 1 && AuditQuery.NetworkOf(text.ToString()) is not null ? text.ToString() : null);

    /// <summary>Names of things, each a parameter of this name. What is no name of such a thing meets nothing.</summary>
    public static Parameter<ImmutableArray<string>?> Names(string name, string description) =>
        new(name, description, $"at most {MostNames} names", static text =>
            text.Count <= MostNames && text.All(static one => one is { Length: > 0 and <= 128 })
                ? [.. text.Select(static one => one!)]
                : null)
        {
            IsMany = true,
        };
}

/// <summary>One whose values are of a type.</summary>
/// <param name="Parse">Null where the text is not right.</param>
internal sealed record Parameter<T>(string Name, string Description, string Expects, Func<StringValues, T?> Parse)
    : Parameter(Name, Description, Expects)
{
    public override object? Read(StringValues text) => Parse(text);
}
