using System.Globalization;

namespace Postern.Relay.Admin.Kept;

/// <summary>How long content is kept, in words.</summary>
public static class KeepText
{
    /// <summary>Behind "the content is".</summary>
    /// <param name="keep">Zero: never; null: as the configuration says.</param>
    public static string Of(TimeSpan? keep) => keep switch
    {
        null => "kept as the configuration says",
        { Ticks: 0 } => "not kept",
        { } span => $"kept for {Time(span)}",
    };

    /// <summary>The shortest exact spelling in seconds, as durations are configured: <c>7d</c>, <c>1d12h</c>.</summary>
    public static string Time(TimeSpan span)
    {
        var parts = new (long Count, string Unit)[]
        {
            (span.Days, "d"), (span.Hours, "h"), (span.Minutes, "m"), (span.Seconds, "s"),
        };
        var text = string.Concat(
            parts.Where(static p => p.Count > 0).Select(static p => string.Create(CultureInfo.InvariantCulture, $"{p.Count}{p.Unit}")));
        return text.Length == 0 ? "0s" : text;
    }
}
