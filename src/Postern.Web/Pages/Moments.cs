using System.Globalization;

namespace Postern.Web.Pages;

/// <summary>Times in addresses, as the commands take them: RFC 3339, or how long ago.</summary>
internal static class Moments
{
    private const int LongestCount = 6;

    /// <summary>Null for what is no time.</summary>
    public static DateTimeOffset? Read(string text, DateTimeOffset now)
    {
        if (Span(text) is { } ago)
            return now - DateTimeOffset.MinValue > ago ? now - ago : DateTimeOffset.MinValue;
        return text is [_, _, _, _, '-', ..] && DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
    }

    /// <summary><c>90s</c>, <c>15m</c>, <c>2h</c>, <c>3d</c>, <c>1w</c>; null for anything else.</summary>
    public static TimeSpan? Span(string text)
    {
        if (text.Length is < 2 or > LongestCount + 1
            || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            'w' => TimeSpan.FromDays(7L * count),
            _ => null,
        };
    }
}
