namespace Postern.Testing;

/// <summary>
/// A clock that stands still until it is told to go on. Timers fire inside <see cref="Advance"/>, on the caller's thread, in order; one that
/// is set for now fires at once, on the pool, as a real one does. With POSTERN_SLOW_CLOCK=1 whoever reads it or sets a timer is kept a while
/// now and then: a test that advances it before what it tests has come so far fails, as it would on a busy machine.
/// </summary>
public sealed class ManualClock(DateTimeOffset? start = null) : TimeProvider
{
    private static readonly bool IsSlow = Environment.GetEnvironmentVariable("POSTERN_SLOW_CLOCK") is { Length: > 0 };

    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private TimeSpan set;
    private DateTimeOffset now = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        Loiter();
        lock (gate)
            return now + set;
    }

    public override long GetTimestamp()
    {
        Loiter();
        lock (gate)
            return now.UtcTicks;
    }

    /// <summary>How long it is until a timer is due; null where none is set.</summary>
    public TimeSpan? UntilDue
    {
        get
        {
            lock (gate)
                return timers.Count == 0 ? null : timers.Min(static t => t.Due) - now;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Sets the wall clock alone, as an operator or a dead battery does: no time passes and no timer is due.</summary>
    public void Set(TimeSpan by)
    {
        lock (gate)
            set += by;
    }

    public void Advance(TimeSpan by)
    {
        DateTimeOffset end;
        lock (gate)
            end = now + by;
        while (true)
        {
            ManualTimer? due;
            lock (gate)
            {
                due = timers.Where(t => t.Due <= end).MinBy(static t => t.Due);
                now = due is null ? end : due.Due > now ? due.Due : now;
                if (due is not null)
                    timers.Remove(due);
            }

            if (due is null)
                return;
            due.Fire();
        }
    }

    private static void Loiter()
    {
        if (!IsSlow || Random.Shared.Next(4) != 0)
            return;
        for (var end = Environment.TickCount64 + Random.Shared.Next(12); Environment.TickCount64 < end;)
            Thread.Yield();
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan period;

        public DateTimeOffset Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Loiter();
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                this.period = period;
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = clock.now + dueTime;
                    clock.timers.Add(this);
                }
            }

            if (dueTime == TimeSpan.Zero)
                ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.FireIfDue(), this, preferLocal: false);
            return true;
        }

        private void FireIfDue()
        {
            lock (clock.gate)
            {
                if (Due > clock.now || !clock.timers.Remove(this))
                    return;
            }

            Fire();
        }

        public void Fire()
        {
            if (period > TimeSpan.Zero)
                Change(period, period);
            callback(state);
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
