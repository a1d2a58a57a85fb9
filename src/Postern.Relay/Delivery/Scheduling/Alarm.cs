namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// One timer that is set for a moment of a clock; it calls back on any thread, and may do so once too often. May be set from any thread.
/// </summary>
internal sealed class Alarm(TimeProvider clock, Action ring) : IAsyncDisposable
{
    /// <summary>A timer runs on a steady clock, and the wall clock may be set meanwhile: it is looked at again.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);

    private readonly ITimer timer = clock.CreateTimer(
        static ring => ((Action)ring!)(), ring, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Rings at a time of the wall clock, or an hour from now, where that is sooner.</summary>
    public void Set(DateTimeOffset at)
    {
        // A clock that went on between the look at it and the setting would make it ring late by as much.
        if (Wait(at - clock.GetUtcNow()) && clock.GetUtcNow() >= at)
            Wait(TimeSpan.Zero);
    }

    /// <summary>Rings at a timestamp of the steady clock.</summary>
    public void Set(long at)
    {
        if (Wait(clock.GetElapsedTime(clock.GetTimestamp(), at)) && clock.GetTimestamp() >= at)
            Wait(TimeSpan.Zero);
    }

    /// <summary>Rings after a pause.</summary>
    public void Set(TimeSpan pause) => Wait(pause);

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private bool Wait(TimeSpan pause)
    {
        // A millisecond more: timers round down, and one that rings early would have to be set again.
        timer.Change(
            pause <= TimeSpan.Zero ? TimeSpan.Zero : pause < LongestSleep ? pause + TimeSpan.FromMilliseconds(1) : LongestSleep,
            Timeout.InfiniteTimeSpan);
        return pause > TimeSpan.Zero;
    }
}
