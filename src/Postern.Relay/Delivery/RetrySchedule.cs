namespace Postern.Relay.Delivery;

/// <summary>
/// When to try again and when to give up (RFC 5321 §4.5.4.1 asks for at least 4-5 days). The pause grows by a factor up to a limit and
/// varies by a tenth either way, so that what failed together does not return together.
/// </summary>
/// <param name="First">The pause after the first attempt.</param>
/// <param name="Factor">At least 1.</param>
/// <param name="Most">The longest pause.</param>
/// <param name="GiveUp">The age, counted from arrival or release, at which the last attempt is made.</param>
public sealed record RetrySchedule(TimeSpan First, double Factor, TimeSpan Most, TimeSpan GiveUp)
{
    private const double Jitter = 0.1;

    /// <summary>How long after arrival or release the sender is told, once, that a message still waits.</summary>
    public TimeSpan Warn { get; init; } = TimeSpan.FromHours(4);

    public static RetrySchedule Default { get; } = new(TimeSpan.FromMinutes(1), Factor: 2, TimeSpan.FromHours(4), TimeSpan.FromDays(5));

    /// <summary>The time of the next attempt; null to give up. The last attempt falls on the very age of giving up.</summary>
    /// <param name="attempts">Attempts made so far, at least 1.</param>
    /// <param name="chance">Uniform in [0, 1): where in the jitter this pause falls.</param>
    public DateTimeOffset? Next(int attempts, DateTimeOffset releasedAt, DateTimeOffset now, double chance)
    {
        var end = releasedAt + GiveUp;
        if (now >= end)
            return null;
        var next = now + Pause(attempts, chance);
        return next < end ? next : end;
    }

    /// <summary>The pause behind the given number of attempts.</summary>
    public TimeSpan Pause(int attempts, double chance)
    {
        var steady = Math.Min(First.TotalSeconds * Math.Pow(Factor, attempts - 1), Most.TotalSeconds);
        return TimeSpan.FromSeconds(steady * (1 + (Jitter * ((2 * chance) - 1))));
    }
}
