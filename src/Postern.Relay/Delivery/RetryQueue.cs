namespace Postern.Relay.Delivery;

/// <summary>
/// Messages by the time of their next attempt, with one timer for the earliest. Called under the scheduler's lock, except for the
/// timer itself, which calls back without it.
/// </summary>
internal sealed class RetryQueue : IAsyncDisposable
{
    /// <summary>The timer runs on a steady clock and attempts are due by wall clock: look again when that may have been set.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);

    private readonly PriorityQueue<(TrackedMessage Message, int Turn), DateTimeOffset> queue = new();
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private DateTimeOffset alarm = DateTimeOffset.MaxValue;

    public RetryQueue(TimeProvider clock, Action due)
    {
        this.clock = clock;
        timer = clock.CreateTimer(static due => ((Action)due!)(), due, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(TrackedMessage message)
    {
        queue.Enqueue((message, message.Turn), message.State.NextAttempt);
        if (message.State.NextAttempt < alarm)
            SetAlarm();
    }

    /// <summary>Takes the messages that are due now and sets the timer for the rest.</summary>
    public List<TrackedMessage> TakeDue()
    {
        var now = clock.GetUtcNow();
        var due = new List<TrackedMessage>();
        while (queue.TryPeek(out var entry, out var at) && at <= now)
        {
            queue.Dequeue();
            if ((entry.Message.Stage == MessageStage.Waiting || entry.Message.IsHeldByServer) && entry.Message.Turn == entry.Turn)
                due.Add(entry.Message);
        }

        SetAlarm();
        return due;
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private void SetAlarm()
    {
        if (!queue.TryPeek(out _, out var at))
        {
            alarm = DateTimeOffset.MaxValue;
            return;
        }

        alarm = at;
        var pause = at - clock.GetUtcNow();
        // A millisecond more: timers round down, and one that fires early would have to be set again.
        timer.Change(pause < TimeSpan.Zero ? TimeSpan.Zero : pause < LongestSleep ? pause + TimeSpan.FromMilliseconds(1) : LongestSleep, Timeout.InfiniteTimeSpan);
    }
}
