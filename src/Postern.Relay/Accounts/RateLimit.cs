using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Postern.Relay.Accounts;

/// <summary>So many within a time; what was used flows back evenly over <paramref name="Window"/>.</summary>
public readonly record struct RateLimit(int Count, TimeSpan Window)
{
    /// <summary>Reads <c>20/1h</c>: a count from 1 to 100,000, and seconds, minutes, hours or days.</summary>
    public static bool TryParse(string text, out RateLimit budget)
    {
        budget = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1
            || slash > text.Length - 3
            || !int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count is < 1 or > 100_000)
            return false;
        var unit = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        if (unit == 0
            || !int.TryParse(
                text.AsSpan(slash + 1, text.Length - slash - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number is < 1 or > 10_000)
            return false;
        budget = new RateLimit(count, TimeSpan.FromSeconds((double)unit * number));
        return budget.Window <= TimeSpan.FromDays(31);
    }

    [SuppressMessage("Style", "IDE0072", Justification = "The last arm is every other window.")]
    public override string ToString() => Window switch
    {
        { TotalHours: >= 1 } when Window.Ticks % TimeSpan.TicksPerHour == 0 =>
            string.Create(CultureInfo.InvariantCulture, $"{Count}/{Window.TotalHours}h"),
        { TotalMinutes: >= 1 } when Window.Ticks % TimeSpan.TicksPerMinute == 0 =>
            string.Create(CultureInfo.InvariantCulture, $"{Count}/{Window.TotalMinutes}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Count}/{Window.TotalSeconds}s"),
    };
}
