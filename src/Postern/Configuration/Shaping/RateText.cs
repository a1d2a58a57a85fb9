using System.Globalization;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery.Shaping;

namespace Postern.Configuration.Shaping;

/// <summary>
/// Rates as people write them: <c>100/min</c>, <c>20/s burst 5</c>, <c>5000/1h</c>, of octets <c>50MB/min</c>.
/// </summary>
internal static class RateText
{
    private const string Burst = " burst ";

    private static readonly (string Unit, TimeSpan Time)[] Units =
    [
        ("s", TimeSpan.FromSeconds(1)), ("sec", TimeSpan.FromSeconds(1)), ("second", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)), ("min", TimeSpan.FromMinutes(1)), ("minute", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)), ("hour", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)), ("day", TimeSpan.FromDays(1)),
    ];

    /// <summary>False for anything else; at most 31 days.</summary>
    /// <param name="isOctets">Count and burst are sizes.</param>
    public static bool TryParse(string text, bool isOctets, out Rate rate)
    {
        rate = default;
        var behind = text.IndexOf(Burst, StringComparison.Ordinal);
        var flow = behind < 0 ? text : text[..behind];
        var slash = flow.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1 || !TryAmount(flow[..slash].Trim(), isOctets, out var count) || !TryTime(flow[(slash + 1)..].Trim(), out var time))
            return false;
        rate = Rate.Of(count, time);
        if (behind < 0)
            return true;
        if (!TryAmount(text[(behind + Burst.Length)..].Trim(), isOctets, out var burst))
            return false;
        rate = rate with { Burst = burst };
        return true;
    }

    /// <summary>Octets a second: <c>1KB/s</c>.</summary>
    public static bool TryParseSpeed(string text, out long octets)
    {
        octets = 0;
        return text.EndsWith("/s", StringComparison.Ordinal) && SizeText.TryParse(text[..^2].Trim(), out octets) && octets > 0;
    }

    private static bool TryAmount(string text, bool isOctets, out double amount)
    {
        var isRight = isOctets
            ? SizeText.TryParse(text, out var size)
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size);
        amount = size;
        return isRight && size is > 0 and <= 1_000_000_000_000_000;
    }

    private static bool TryTime(string text, out TimeSpan time)
    {
        time = Array.Find(Units, unit => unit.Unit == text).Time;
        return time > TimeSpan.Zero || (DurationText.TryParse(text, out time) && time > TimeSpan.Zero && time <= TimeSpan.FromDays(31));
    }
}
