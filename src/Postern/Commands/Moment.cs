using System.CommandLine.Parsing;
using System.Globalization;
using Postern.Configuration.Reading;

namespace Postern.Commands;

/// <summary>
/// A time on the command line: so long ago, such as 2h or 3d, or a date and time of UTC, such as 2026-11-28 or 2026-11-28T09:30.
/// </summary>
internal readonly record struct Moment(TimeSpan? Ago, DateTimeOffset? At)
{
    private const string Expected = "so long ago, such as 30m or 7d, or a time of UTC such as 2026-11-28 or 2026-11-28T09:30";

    private static readonly string[] Formats =
    [
        "yyyy-MM-dd",
        "yyyy-MM-ddTHH:mm",
        "yyyy-MM-ddTHH:mm:ss",
        "yyyy-MM-ddTHH:mm'Z'",
        "yyyy-MM-ddTHH:mm:ss'Z'",
        "yyyy-MM-dd HH:mm",
        "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd HH:mm:ss'Z'",
    ];

    public static Moment? Parse(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (Kinds.Duration.Read(text, out var ago))
            return new Moment(ago, null);
        if (DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
            return new Moment(null, at);
        result.AddError($"'{text}' is not right here; expected {Expected}");
        return null;
    }

    public DateTimeOffset From(DateTimeOffset now) =>
        At ?? (Ago is { } ago && ago < now - DateTimeOffset.MinValue ? now - ago : DateTimeOffset.MinValue);
}
