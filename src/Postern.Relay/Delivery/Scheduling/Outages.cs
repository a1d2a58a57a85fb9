namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Destinations that nobody answers at. Each is looked at with growing pauses, by a connection that brings no message, so that what waits
/// for it need not wait for its own hour when it is back. May be called from any thread.
/// </summary>
internal sealed class Outages : IAsyncDisposable
{
    /// <summary>Destinations that are looked at; messages to any further one wait for their own time.</summary>
    public const int Most = 10_000;

    /// <summary>So often at least, while nobody answers at this many, mail that was tried before is tried itself; less often where nobody
    /// answers at more, as each takes a place while it is tried.</summary>
    private const int Few = 2_000;

    private const double Growth = 2;
    private const int FewestProbes = 4;
    private const int MostProbes = 50;

    private static readonly TimeSpan LongestQuiet = TimeSpan.FromMinutes(1);

    /// <summary>Nobody is waited for longer by those who only look.</summary>
    private static readonly TimeSpan ProbeTime = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Dictionary<NextHop, Outage> outages = [];
    private readonly PriorityQueue<Outage, long> planned = new();
    private readonly HashSet<Task> probes = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly IDeliveryTransport transport;
    private DeliveryOptions options;
    private readonly TimeProvider clock;
    private readonly Action<NextHop, TimeSpan> back;
    private readonly Alarm alarm;
    private volatile int count;
    private bool isStopped;
    private long allowedAt;

    /// <param name="back">Called when a destination answers again, with how long it did not.</param>
    public Outages(IDeliveryTransport transport, DeliveryOptions options, TimeProvider clock, Action<NextHop, TimeSpan> back)
    {
        (this.transport, this.options, this.clock, this.back) = (transport, options, clock, back);
        alarm = new Alarm(clock, OnDue);
    }

    public int Count => count;

    public void Apply(DeliveryOptions changed)
    {
        lock (gate)
            options = changed;
    }

    public int UnderWay
    {
        get
        {
            lock (gate)
                return probes.Count;
        }
    }

    public bool Has(NextHop hop)
    {
        if (count == 0)
            return false;
        lock (gate)
            return outages.ContainsKey(hop);
    }

    /// <summary>
    /// What an attempt found, or would have found, a moment ago: another one now would learn nothing. Null where that is not known, or
    /// long ago.
    /// </summary>
    public Outcome.Deferred? WhyAway(NextHop hop)
    {
        if (count == 0)
            return null;
        lock (gate)
        {
            if (!outages.TryGetValue(hop, out var known) || known.Why is null)
                return null;
            var now = clock.GetTimestamp();
            var quiet = LongestQuiet * Math.Max(1, (double)outages.Count / Few);
            if (known.TriedAt <= allowedAt || clock.GetElapsedTime(known.TriedAt, now) >= (known.Pause < quiet ? known.Pause : quiet))
                return null;
            known.LastSeen = now;
            return known.Why;
        }
    }

    /// <summary>An operator wants mail to be tried: what was found before does not count.</summary>
    public void Allow()
    {
        lock (gate)
            allowedAt = clock.GetTimestamp();
    }

    /// <summary>Nobody answered.</summary>
    /// <param name="why">What the attempt came to.</param>
    public void Begin(NextHop hop, Outcome.Deferred? why = null)
    {
        lock (gate)
        {
            if (isStopped)
                return;
            var now = clock.GetTimestamp();
            if (outages.TryGetValue(hop, out var known))
            {
                // Mail has looked itself, in the place of those who only look.
                if (clock.GetElapsedTime(known.TriedAt, now) >= known.Pause)
                    known.Pause = Longer(known.Pause);
                (known.LastSeen, known.TriedAt, known.Why) = (now, now, why);
                return;
            }

            if (outages.Count >= Most)
                return;
            var outage = outages[hop] = new Outage(hop, now) { LastSeen = now, TriedAt = now, Why = why, Pause = options.ProbeFirst };
            count = outages.Count;
            Plan(outage, now);
        }
    }

    /// <summary>Somebody answered.</summary>
    public void End(NextHop hop)
    {
        if (count == 0)
            return;
        Outage? ended;
        lock (gate)
        {
            if (!outages.Remove(hop, out ended) || isStopped)
                return;
            count = outages.Count;
        }

        back(hop, clock.GetElapsedTime(ended.Since));
    }

    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (gate)
        {
            if (isStopped)
                return;
            isStopped = true;
            running = [.. probes];
        }

        await alarm.DisposeAsync().ConfigureAwait(false);
        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(false);
        stopping.Dispose();
    }

    private int ProbesAtATime => Math.Clamp(outages.Count / 100, FewestProbes, MostProbes);

    private TimeSpan Longer(TimeSpan pause) => pause * Growth < options.ProbeMost ? pause * Growth : options.ProbeMost;

    private void Plan(Outage outage, long now)
    {
        planned.Enqueue(outage, now + (long)(outage.Pause.TotalSeconds * clock.TimestampFrequency));
        SetAlarm();
    }

    private void SetAlarm()
    {
        if (!isStopped && probes.Count < ProbesAtATime && planned.TryPeek(out _, out var at))
            alarm.Set(at);
    }

    private void OnDue()
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            while (!isStopped && probes.Count < ProbesAtATime && planned.TryPeek(out var outage, out var at) && at <= now)
            {
                planned.Dequeue();
                if (!outages.TryGetValue(outage.Hop, out var current) || current != outage)
                    continue;
                if (clock.GetElapsedTime(outage.TriedAt, now) < outage.Pause)
                {
                    Plan(outage, outage.TriedAt);
                    continue;
                }

                // Whatever waits for it is tried in such a time at least: it would have been seen.
                if (clock.GetElapsedTime(outage.LastSeen, now) > options.Retry.Most * 1.2 + options.ProbeMost)
                {
                    outages.Remove(outage.Hop);
                    count = outages.Count;
                    continue;
                }

                var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                probes.Add(done.Task);
                _ = Task.Run(() => ProbeAsync(outage, done));
            }

            SetAlarm();
        }
    }

    private async Task ProbeAsync(Outage outage, TaskCompletionSource done)
    {
        var isBack = false;
        try
        {
            var lane = transport.OpenLane(outage.Hop);
            using var late = new CancellationTokenSource(ProbeTime, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping.Token);
            await using (lane.ConfigureAwait(false))
                isBack = await lane.ProbeAsync(either.Token).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Whatever it was, messages have attempts of their own, which tell.
        }

        lock (gate)
        {
            probes.Remove(done.Task);
            var now = clock.GetTimestamp();
            if (!isBack && !isStopped && outages.TryGetValue(outage.Hop, out var current) && current == outage)
            {
                outage.TriedAt = now;
                outage.Pause = Longer(outage.Pause);
                Plan(outage, now);
            }
            else
            {
                SetAlarm();
            }
        }

        if (isBack)
            End(outage.Hop);
        done.SetResult();
    }

    private sealed class Outage(NextHop hop, long since)
    {
        public NextHop Hop => hop;

        public long Since => since;

        /// <summary>When an attempt of a message last found nobody.</summary>
        public long LastSeen { get; set; }

        /// <summary>When a connection was last tried.</summary>
        public long TriedAt { get; set; }

        public Outcome.Deferred? Why { get; set; }

        public TimeSpan Pause { get; set; }
    }
}
