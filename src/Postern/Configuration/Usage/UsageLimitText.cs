using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Relay.Policy.Limits;

namespace Postern.Configuration.Usage;

/// <summary>Limits as people write them: <c>500/1h</c>, <c>2GB/1d</c>, and <c>20</c> for so many at once.</summary>
internal static class UsageLimitText
{
    /// <summary>Different recipients are remembered one by one.</summary>
    private const long MostDistinct = 10_000;

    private static readonly Kind<WindowLimit> Counts = new(
        "count/time", "a count and a time such as 500/1h, at most 31 days", TryCount, []);

    private static readonly Kind<WindowLimit> Distinct = new(
        "count/time",
        "a count of at most 10000 and a time such as 100/1h, at most 31 days",
        static (string text, out WindowLimit limit) => TryCount(text, out limit) && limit.Count <= MostDistinct,
        []);

    private static readonly Kind<WindowLimit> Sizes = new(
        "size/time", "a size and a time such as 2GB/1d, at most 31 days", TrySize, []);

    private static readonly Kind<WindowLimit> AtOnce = new("number", "a whole number, at least 1", TryAtOnce, []);

    /// <summary>How a limit of this is written.</summary>
    public static Kind<WindowLimit> KindOf(LimitThing what) => what switch
    {
        LimitThing.Bytes => Sizes,
        LimitThing.DistinctRecipients => Distinct,
        LimitThing.Concurrency => AtOnce,
        _ => Counts,
    };

    private static bool TryCount(string text, out WindowLimit limit) =>
        Try(text, static (part, out number) => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out number), out limit);

    private static bool TrySize(string text, out WindowLimit limit) => Try(text, SizeText.TryParse, out limit);

    private static bool TryAtOnce(string text, out WindowLimit limit)
    {
        var isRead = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;
        limit = new WindowLimit(number, TimeSpan.Zero);
        return isRead;
    }

    private static bool Try(string text, TryNumber number, out WindowLimit limit)
    {
        limit = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1
            || !number(text[..slash].TrimEnd(), out var count)
            || count is < 1 or > long.MaxValue / 1000
            || !DurationText.TryParse(text[(slash + 1)..].TrimStart(), out var window)
            || window < TimeSpan.FromSeconds(1)
            || window > TimeSpan.FromDays(31)
            || window.Ticks % TimeSpan.TicksPerSecond != 0)
            return false;
        limit = new WindowLimit(count, window);
        return true;
    }

    private delegate bool TryNumber(string text, out long number);
}
