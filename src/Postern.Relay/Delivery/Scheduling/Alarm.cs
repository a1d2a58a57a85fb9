namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// One timer that is set for a moment of a clock; it calls back on any thread, and may do so once too often. May be set from any thread.
/// </summary>
internal sealed class Alarm(TimeProvider clock, Action ring) : IAsyncDisposable
{
    /// <summary>A timer runs on a steady clock, and the wall clock may be set meanwhile: it is looked at again.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);

    /// <summary>
    /// A clock that went on by more between the look at it and the setting would make the timer ring late by as much: it is set again.
    /// </summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(1);

    private readonly ITimer timer = clock.CreateTimer(
        static ring => ((Action)ring!)(), ring, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Rings at a time of the wall clock, or an hour from now, where that is sooner.</summary>
    public void Set(DateTimeOffset at)
    {
        DateTimeOffset now;
        do
        {
            now = clock.GetUtcNow();
            Wait(at - now);
        }
        while (clock.GetUtcNow() - now > Late);
    }

    /// <summary>Rings at a timestamp of the steady clock.</summary>
    public void Set(long at)
    {
        long now;
        do
        {
            now = clock.GetTimestamp();
            Wait(clock.GetElapsedTime(now, at));
        }
        while (clock.GetElapsedTime(now) > Late);
    }

    /// <summary>Rings after a pause.</summary>
    public void Set(TimeSpan pause) => Wait(pause);

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    // A millisecond more: timers round down, and one that rings early would have to be set again.
    private void Wait(TimeSpan pause) => timer.Change(
        pause <= TimeSpan.Zero ? TimeSpan.Zero : pause < LongestSleep ? pause + TimeSpan.FromMilliseconds(1) : LongestSleep,
        Timeout.InfiniteTimeSpan);
}
