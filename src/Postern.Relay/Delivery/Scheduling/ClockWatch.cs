using System.Globalization;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Notices that the wall clock was set: it and the steady clock went on differently between two looks. May be called from any thread.
/// </summary>
internal sealed class ClockWatch(TimeProvider clock)
{
    /// <summary>Less is what time servers and leap seconds do, and decides nothing.</summary>
    private static readonly TimeSpan Most = TimeSpan.FromHours(1);

    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private DateTimeOffset wall = clock.GetUtcNow();
    private long steady = clock.GetTimestamp();
    private volatile int settings;

    /// <summary>How often the clock was found set.</summary>
    public int Settings => settings;

    /// <summary>In words, when it was set since the last look; else null.</summary>
    public string? Look()
    {
        lock (gate)
        {
            var (now, timestamp) = Both();
            var jump = now - wall - clock.GetElapsedTime(steady, timestamp);
            (wall, steady) = (now, timestamp);
            if (jump.Duration() <= Most)
                return null;
            settings++;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the clock was set {(jump > TimeSpan.Zero ? "forward" : "back")} by {jump.Duration().TotalHours:0.0} hours");
        }
    }

    /// <summary>Time that passes between the two looks, as where the machine is stopped, must not be taken for a difference.</summary>
    private (DateTimeOffset Wall, long Steady) Both()
    {
        while (true)
        {
            var both = (Wall: clock.GetUtcNow(), Steady: clock.GetTimestamp());
            if ((clock.GetUtcNow() - both.Wall).Duration() < Apart)
                return both;
        }
    }

    /// <summary>In words, when the time of something that has happened is still to come; else null.</summary>
    /// <param name="what">That something, up to "at".</param>
    public string? WhyNotAfter(DateTimeOffset newest, string what)
    {
        lock (gate)
        {
            if (newest - clock.GetUtcNow() <= Most)
                return null;
            settings++;
            return string.Create(
                CultureInfo.InvariantCulture, $"the clock stands before {what} at {newest.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC");
        }
    }
}
