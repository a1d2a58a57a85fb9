using System.Globalization;

namespace Postern.Web.Parts;

/// <summary>Times and spans of time as people say them.</summary>
public static class TimeWords
{
    /// <summary><c>4 min ago</c>, <c>in 14 min</c>, <c>now</c>.</summary>
    public static string Relative(DateTimeOffset at, DateTimeOffset now)
    {
        var span = at - now;
        return span.Duration() < TimeSpan.FromSeconds(1) ? "now"
            : span > TimeSpan.Zero ? $"in {Span(span)}"
            : $"{Span(-span)} ago";
    }

    /// <summary>One figure and its unit: <c>12 s</c>, <c>4 min</c>, <c>31 h</c>, <c>5 d</c>. Never more than is true.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => Text((long)span.TotalMilliseconds, "ms"),
        { TotalSeconds: < 60 } => Text((long)span.TotalSeconds, "s"),
        { TotalMinutes: < 60 } => Text((long)span.TotalMinutes, "min"),
        { TotalHours: < 48 } => Text((long)span.TotalHours, "h"),
        _ => Text((long)span.TotalDays, "d"),
    };

    /// <summary>Of a day other than today with the date, of another year with the year.</summary>
    public static string Absolute(DateTimeOffset at, PageFrame frame)
    {
        var (local, today) = (InZone(at, frame), InZone(frame.Now, frame));
        return local.ToString(
            local.Date == today.Date ? "HH:mm:ss" : local.Year == today.Year ? "d MMM HH:mm" : "d MMM yyyy HH:mm",
            CultureInfo.InvariantCulture);
    }

    /// <summary>In the zone and in UTC.</summary>
    public static string Whole(DateTimeOffset at, PageFrame frame)
    {
        var utc = at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var local = InZone(at, frame);
        return local.Offset == TimeSpan.Zero
            ? utc
            : string.Create(CultureInfo.InvariantCulture, $"{local:yyyy-MM-dd HH:mm:ss zzz}, {utc}");
    }

    /// <summary>For programs: RFC 3339, UTC.</summary>
    public static string Machine(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset InZone(DateTimeOffset at, PageFrame frame) =>
        frame.Preferences.IsUtc ? at.ToUniversalTime() : TimeZoneInfo.ConvertTime(at, frame.Zone);

    private static string Text(long count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count} {unit}");
}
