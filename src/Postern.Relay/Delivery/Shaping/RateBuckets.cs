using Postern.Relay.Delivery.Scheduling;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// What may still be sent by each rate, and who waits for it. Whoever has not enough is called when there is, one after another. A server
/// that has just begun does not know what went out before: each bucket then begins with one, and has what has flowed in since. That of a
/// destination without mail is forgotten once it is full, as a new one would be. May be called from any thread.
/// </summary>
internal sealed class RateBuckets : IAsyncDisposable
{
    /// <summary>Those that are full are looked for when there are so many.</summary>
    private const int FirstSweep = 1_024;

    private readonly Lock gate = new();
    private readonly Dictionary<(string Scope, ShapingKey<Rate> Key), RateLine> lines = [];
    private readonly PriorityQueue<RateLine, long> planned = new();
    private readonly TimeProvider clock;
    private readonly Alarm alarm;
    private readonly long begunAt;
    private int sweepsAt = FirstSweep;

    public RateBuckets(TimeProvider clock)
    {
        (this.clock, begunAt) = (clock, clock.GetTimestamp());
        alarm = new Alarm(clock, OnAlarm);
    }

    /// <summary>Those that are known; the others are full.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return lines.Count;
        }
    }

    /// <summary>
    /// Takes what a transaction needs of every rate, or nothing of any; null when it has it, else the rate that it has to wait for.
    /// </summary>
    /// <param name="call">
    /// Called when there is enough, without any lock; answers whether there still is need of it. It has the first right to it then, for ten
    /// seconds.
    /// </param>
    public RateNeed? TryTake(object who, RateNeeds needs, RateLoad load, Func<bool> call)
    {
        lock (gate)
        {
            foreach (var need in needs.Each)
            {
                var line = Find(need);
                if (line.MayTake(who, load.Of(need.Key)))
                    continue;
                foreach (var other in needs.Each)
                {
                    if (other != need && lines.TryGetValue((other.Scope, other.Key), out var held))
                        Decline(held, who);
                }

                line.Wait(who, load.Of(need.Key), call);
                Plan(line);
                return need;
            }

            foreach (var need in needs.Each)
            {
                var line = Find(need);
                line.Take(who, load.Of(need.Key));
                Plan(line);
            }

            return null;
        }
    }

    /// <summary>Gives back what was taken and not needed.</summary>
    public void Return(RateNeeds needs, RateLoad load)
    {
        lock (gate)
        {
            foreach (var need in needs.Each)
            {
                if (!lines.TryGetValue((need.Scope, need.Key), out var line))
                    continue;
                line.Bucket.Return(load.Of(need.Key));
                Plan(line);
            }
        }
    }

    /// <summary>Counts transactions that are worked on, by needs that may be those of another table.</summary>
    public void NoteAtWork(RateNeeds needs, int transactions)
    {
        lock (gate)
        {
            foreach (var need in needs.Each)
            {
                if (transactions > 0)
                    Find(need).Count(transactions);
                else if (lines.TryGetValue((need.Scope, need.Key), out var line))
                    line.Count(transactions);
            }
        }
    }

    /// <summary>A rate that has so many transactions waiting already; null where none has.</summary>
    public RateLine? WhereMany(RateNeeds needs, int most)
    {
        lock (gate)
        {
            foreach (var need in needs.Each)
            {
                if (Find(need) is { } line && line.Waiting >= most)
                    return line;
            }

            return null;
        }
    }

    /// <summary>How long until there is enough for one more, whoever it is for then.</summary>
    public TimeSpan Until(RateNeed need)
    {
        lock (gate)
        {
            var wait = lines.TryGetValue((need.Scope, need.Key), out var line)
                ? clock.GetElapsedTime(clock.GetTimestamp(), line.Bucket.ReadyAt(1))
                : TimeSpan.Zero;
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
    }

    /// <summary>What is there of a rate now, and how many destinations wait for it.</summary>
    public (double Tokens, int InLine) Look(RateNeed need)
    {
        lock (gate)
        {
            var line = Find(need);
            return (line.Bucket.Tokens, line.InLine);
        }
    }

    /// <summary>There are other rates: whoever waits is to ask again, and does so by itself.</summary>
    public void Clear()
    {
        lock (gate)
        {
            foreach (var line in lines.Values)
            {
                line.Clear();
                line.PlannedAt = 0;
            }

            planned.Clear();
        }
    }

    public ValueTask DisposeAsync() => alarm.DisposeAsync();

    /// <summary>By the rate of now.</summary>
    private RateLine Find(RateNeed need)
    {
        if (lines.TryGetValue((need.Scope, need.Key), out var found))
        {
            if (found.Need != need)
            {
                found.Need = need;
                found.Bucket.Apply(need.Rate);
            }

            return found;
        }

        if (lines.Count >= sweepsAt)
        {
            foreach (var (key, line) in lines)
            {
                if (line.IsIdle)
                    lines.Remove(key);
            }

            sweepsAt = Math.Max(FirstSweep, 2 * lines.Count);
        }

        var flowed = clock.GetElapsedTime(begunAt).TotalSeconds * need.Rate.PerSecond;
        return lines[(need.Scope, need.Key)] = new RateLine(need, new TokenBucket(need.Rate, 1 + flowed, clock), clock);
    }

    private void Decline(RateLine line, object who)
    {
        line.Decline(who);
        Plan(line);
    }

    private void Plan(RateLine line)
    {
        if (line.LooksAgainAt() is not { } at || line.PlannedAt == at)
            return;
        line.PlannedAt = at;
        planned.Enqueue(line, at);
        if (planned.TryPeek(out _, out var first))
            alarm.Set(first);
    }

    private void OnAlarm()
    {
        var due = new HashSet<RateLine>();
        lock (gate)
        {
            while (planned.TryPeek(out var line, out var at) && at <= clock.GetTimestamp())
            {
                planned.Dequeue();
                line.PlannedAt = 0;
                due.Add(line);
            }

            if (planned.TryPeek(out _, out var next))
                alarm.Set(next);
        }

        foreach (var line in due)
            CallNext(line);
    }

    private void CallNext(RateLine line)
    {
        while (true)
        {
            (object Who, Func<bool> Call) next;
            lock (gate)
            {
                if (line.Next() is not { } called)
                {
                    Plan(line);
                    return;
                }

                next = called;
            }

            if (next.Call())
                continue;
            lock (gate)
                line.Decline(next.Who);
        }
    }
}
