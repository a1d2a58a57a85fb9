namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Messages at work whose last state the disk did not take: they wait for their next attempt here, as nobody else knows what is delivered
/// of them. One timer for the earliest; it calls back on any thread.
/// </summary>
internal sealed class RetryQueue : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly PriorityQueue<TrackedMessage, DateTimeOffset> queue = new();
    private readonly TimeProvider clock;
    private readonly Alarm alarm;

    public RetryQueue(TimeProvider clock, Action<TrackedMessage> due)
    {
        this.clock = clock;
        alarm = new Alarm(clock, () => TakeDue().ForEach(due));
    }

    public void Add(TrackedMessage message, DateTimeOffset at)
    {
        lock (gate)
        {
            queue.Enqueue(message, at);
            SetAlarm();
        }
    }

    public ValueTask DisposeAsync() => alarm.DisposeAsync();

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
        if (queue.TryPeek(out _, out var at))
            alarm.Set(at);
    }
}
