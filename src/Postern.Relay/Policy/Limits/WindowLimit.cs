using System.Globalization;

namespace Postern.Relay.Policy.Limits;

/// <summary>
/// So many in any stretch of time that is as long as <paramref name="Window"/>. A window of zero: so many at once.
/// </summary>
public readonly record struct WindowLimit(long Count, TimeSpan Window)
{
    private static readonly (string Unit, long Octets)[] Sizes =
    [
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000),
    ];

    /// <summary>As it is written: <c>500/1h</c>, and <c>20</c> where it is so many at once.</summary>
    public override string ToString() => ToString(LimitThing.Messages);

    public string ToString(LimitThing what) => Window == TimeSpan.Zero ? Amount(Count, what) : $"{Amount(Count, what)}/{Time(Window)}";

    /// <summary>Of octets in the largest unit that fits whole.</summary>
    public static string Amount(long count, LimitThing what)
    {
        if (what == LimitThing.Bytes)
        {
            foreach (var (unit, octets) in Sizes)
            {
                if (count >= octets && count % octets == 0)
                    return string.Create(CultureInfo.InvariantCulture, $"{count / octets}{unit}");
            }
        }

        return count.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A window: 1h, 90m, 1d.</summary>
    public static string Time(TimeSpan window) => window.Ticks switch
    {
        var t when t >= TimeSpan.TicksPerDay && t % TimeSpan.TicksPerDay == 0 => Unit(t / TimeSpan.TicksPerDay, 'd'),
        var t when t >= TimeSpan.TicksPerHour && t % TimeSpan.TicksPerHour == 0 => Unit(t / TimeSpan.TicksPerHour, 'h'),
        var t when t >= TimeSpan.TicksPerMinute && t % TimeSpan.TicksPerMinute == 0 => Unit(t / TimeSpan.TicksPerMinute, 'm'),
        var t => Unit(t / TimeSpan.TicksPerSecond, 's'),
    };

    /// <summary>How long to wait, for people: 40 s, 12 min, 3 h, 2 d; never too short.</summary>
    public static string Wait(TimeSpan wait) => wait switch
    {
        { TotalSeconds: <= 120 } => Words(wait.TotalSeconds, "s"),
        { TotalMinutes: <= 120 } => Words(wait.TotalMinutes, "min"),
        { TotalHours: <= 48 } => Words(wait.TotalHours, "h"),
        _ => Words(wait.TotalDays, "d"),
    };

    private static string Unit(long number, char unit) => string.Create(CultureInfo.InvariantCulture, $"{number}{unit}");

    private static string Words(double number, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (long)Math.Ceiling(number))} {unit}");
}
