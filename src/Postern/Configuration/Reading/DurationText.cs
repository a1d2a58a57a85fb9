using System.Globalization;
using System.Text;

namespace Postern.Configuration.Reading;

/// <summary>
/// Durations as people write them: <c>90d</c>, <c>4h</c>, <c>5m</c>, <c>30s</c>, <c>500ms</c>, or several from large to small as in
/// <c>1h30m</c>.
/// </summary>
internal static class DurationText
{
    private static readonly (string Unit, long Milliseconds)[] Units =
    [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ];

    /// <summary>False for anything else: a number needs its unit. At most 100 years.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var total = 0L;
        var next = 0;
        var rest = text.AsSpan();
        if (rest.IsEmpty)
            return false;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = IndexOfUnit(rest[..(letters < 0 ? rest.Length : letters)], next);
            if (unit < 0)
                return false;
            total += number * Units[unit].Milliseconds;
            next = unit + 1;
            rest = rest[Units[unit].Unit.Length..];
        }

        if (total > 100L * 365 * 86_400_000)
            return false;
        duration = TimeSpan.FromMilliseconds(total);
        return true;
    }

    /// <summary>The shortest exact spelling in whole milliseconds.</summary>
    public static string Format(TimeSpan duration)
    {
        var rest = (long)duration.TotalMilliseconds;
        var text = new StringBuilder();
        foreach (var (unit, milliseconds) in Units)
        {
            if (unit is "w" || rest < milliseconds)
                continue;
            text.Append(rest / milliseconds).Append(unit);
            rest %= milliseconds;
        }

        return text.Length == 0 ? "0s" : text.ToString();
    }

    private static int IndexOfUnit(ReadOnlySpan<char> name, int from)
    {
        for (var i = from; i < Units.Length; i++)
        {
            if (name.SequenceEqual(Units[i].Unit))
                return i;
        }

        return -1;
    }
}
