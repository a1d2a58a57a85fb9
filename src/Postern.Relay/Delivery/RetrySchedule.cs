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

    private static readonly TimeSpan SoonFor = TimeSpan.FromHours(1);

    /// <summary>How long after arrival or release the sender is told, once, that a message still waits.</summary>
    public TimeSpan Warn { get; init; } = TimeSpan.FromHours(4);

    /// <summary>The longest pause, in the first hour, after an answer that asks to come again soon: greylisting.</summary>
    public TimeSpan Greylisted { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The shortest pause after an answer that a mailbox is full; at most <see cref="Most"/> counts.</summary>
    public TimeSpan MailboxFull { get; init; } = TimeSpan.FromHours(1);

    /// <summary>As <see cref="GiveUp"/>, for the null reverse-path: nobody hears of their end. The shorter of both counts.</summary>
    public TimeSpan GiveUpBounces { get; init; } = TimeSpan.FromDays(2);

    public static RetrySchedule Default { get; } = new(TimeSpan.FromMinutes(1), Factor: 2, TimeSpan.FromHours(4), TimeSpan.FromDays(5));

    /// <summary>The time of the next attempt; null to give up. The last attempt falls on the very age of giving up.</summary>
    /// <param name="attempts">Attempts made so far, at least 1.</param>
    /// <param name="chance">Uniform in [0, 1): where in the jitter this pause falls.</param>
    /// <param name="isBounce">It has the null reverse-path.</param>
    public DateTimeOffset? Next(
        int attempts,
        DateTimeOffset releasedAt,
        DateTimeOffset now,
        double chance,
        RetryPace pace = RetryPace.Usual,
        bool isBounce = false)
    {
        var end = EndOf(releasedAt, isBounce);
        if (now >= end)
            return null;
        var pause = Steady(attempts);
        var age = now - releasedAt;
        // After that hour there have been many attempts, and the pauses go on from where they would be.
        if (pace == RetryPace.Soon && (age < SoonFor ? Greylisted : age) is var soon && soon < pause)
            pause = soon;
        else if (pace == RetryPace.Late && MailboxFull > pause)
            pause = MailboxFull < Most ? MailboxFull : Most;
        var next = now + Vary(pause, chance);
        return next < end ? next : end;
    }

    /// <summary>When the time of a message is over.</summary>
    public DateTimeOffset EndOf(DateTimeOffset releasedAt, bool isBounce) =>
        releasedAt + (isBounce && GiveUpBounces < GiveUp ? GiveUpBounces : GiveUp);

    /// <summary>The pause behind the given number of attempts.</summary>
    public TimeSpan Pause(int attempts, double chance) => Vary(Steady(attempts), chance);

    /// <summary>
    /// A chance of the same place in time for all that have such a pause and one <paramref name="phase"/>: a destination that is away is
    /// tried for many at once, and one line of the log tells of them. Uniform over the phases.
    /// </summary>
    internal double Together(int attempts, DateTimeOffset now, int phase)
    {
        var pause = Steady(attempts).Ticks;
        var step = Math.Max(1, (long)(2 * Jitter * pause));
        var earliest = now.UtcTicks + (long)((1 - Jitter) * pause) - (long)((uint)phase / (1.0 + uint.MaxValue) * step);
        return (step - 1 - ((earliest - 1) % step)) / (double)step;
    }

    private TimeSpan Steady(int attempts) =>
        TimeSpan.FromSeconds(Math.Min(First.TotalSeconds * Math.Pow(Factor, attempts - 1), Most.TotalSeconds));

    private static TimeSpan Vary(TimeSpan pause, double chance) =>
        TimeSpan.FromSeconds(pause.TotalSeconds * (1 + (Jitter * ((2 * chance) - 1))));
}
