namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Messages at work whose last state the disk did not take: they wait for their next attempt here, as nobody else knows what is delivered
/// of them. One timer for the earliest; it calls back on any thread.
/// </summary>
internal sealed class RetryQueue : IAsyncDisposable
{
    /// <summary>The timer runs on a steady clock and attempts are due by wall clock: look again when that may have been set.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly PriorityQueue<TrackedMessage, DateTimeOffset> queue = new();
    private readonly TimeProvider clock;
    private readonly ITimer timer;

    public RetryQueue(TimeProvider clock, Action<TrackedMessage> due)
    {
        this.clock = clock;
        timer = clock.CreateTimer(_ => TakeDue().ForEach(due), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(TrackedMessage message, DateTimeOffset at)
    {
        lock (gate)
        {
            queue.Enqueue(message, at);
            SetAlarm();
        }
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private List<TrackedMessage> TakeDue()
    {
        var due = new List<TrackedMessage>();
        lock (gate)
        {
            while (queue.TryPeek(out var message, out var at) && at <= clock.GetUtcNow())
            {
                queue.Dequeue();
                due.Add(message);
            }

            SetAlarm();
        }

        return due;
    }

    private void SetAlarm()
    {
        if (!queue.TryPeek(out _, out var at))
            return;
        var pause = at - clock.GetUtcNow();
        // A millisecond more: timers round down, and one that fires early would have to be set again.
        timer.Change(
            pause < TimeSpan.Zero ? TimeSpan.Zero : pause < LongestSleep ? pause + TimeSpan.FromMilliseconds(1) : LongestSleep,
            Timeout.InfiniteTimeSpan);
    }
}
