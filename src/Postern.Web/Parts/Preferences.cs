using System.Collections.Immutable;

namespace Postern.Web.Parts;

/// <summary>How somebody likes the pages. It is kept in a cookie of its own, which says nothing else.</summary>
/// <param name="Theme"><c>auto</c>, <c>light</c> or <c>dark</c>.</param>
/// <param name="Clock"><c>local</c> or <c>utc</c>.</param>
/// <param name="Keys"><c>on</c> or <c>off</c>: whether single keys do something (WCAG 2.1.4).</param>
public sealed record Preferences(string Theme, string Clock, string Keys)
{
    public const string Cookie = "postern-view";

    public static Preferences Default { get; } = new("auto", "local", "on");

    public static ImmutableArray<string> Themes { get; } = ["auto", "light", "dark"];

    public static ImmutableArray<string> Clocks { get; } = ["local", "utc"];

    public static ImmutableArray<string> KeysWords { get; } = ["on", "off"];

    public bool IsUtc => Clock == "utc";

    /// <summary>What is none of the words is taken for the default: a cookie is whatever a browser sends.</summary>
    public static Preferences Of(string? theme, string? clock, string? keys) => new(
        Known(Themes, theme) ?? Default.Theme, Known(Clocks, clock) ?? Default.Clock, Known(KeysWords, keys) ?? Default.Keys);

    /// <summary>Reads the cookie's value; null is no cookie.</summary>
    public static Preferences Parse(string? cookie) =>
        cookie?.Split('.') is [var theme, var clock, var keys] ? Of(theme, clock, keys) : Default;

    /// <summary>The cookie's value.</summary>
    public override string ToString() => $"{Theme}.{Clock}.{Keys}";

    private static string? Known(ImmutableArray<string> words, string? word) =>
        word is not null && words.Contains(word, StringComparer.Ordinal) ? word : null;
}
