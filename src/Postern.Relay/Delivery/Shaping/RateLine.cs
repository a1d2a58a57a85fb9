using Postern.Relay.Delivery.Scheduling;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// One rate, and the line of destinations that wait for it. Whoever stands in line comes first; what is there for the next is kept for it
/// until it takes it. Guarded by the gate of <see cref="RateBuckets"/>.
/// </summary>
internal sealed class RateLine(RateNeed need, TokenBucket bucket, TimeProvider clock) : IShelf
{
    /// <summary>Who was called and has not taken anything by then has lost the turn.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(10);

    private readonly LinkedList<(object Who, double Amount, Func<bool> Call)> line = new();
    private readonly HashSet<object> waiting = [];
    private readonly Dictionary<object, (double Amount, long Since)> called = [];
    private double kept;
    private string? shelf;
    private int atWork;

    /// <summary>As it was asked for last.</summary>
    public RateNeed Need { get; set; } = need;

    public TokenBucket Bucket => bucket;

    public string Shelf => shelf ??= $"rate {Need.Scope} {Guid.NewGuid():N}";

    /// <summary>Transactions that are worked on and wait, for this or for a connection. May be read without the gate.</summary>
    public int Waiting => Volatile.Read(ref atWork);

    public bool IsProven => true;

    /// <summary>Destinations in line.</summary>
    public int InLine => line.Count;

    /// <summary>Nothing is to be kept of it.</summary>
    public bool IsIdle => line.Count == 0 && called.Count == 0 && atWork == 0 && bucket.IsFull;

    /// <summary>When it is looked at next, as planned last.</summary>
    public long PlannedAt { get; set; }

    public void Count(int transactions) => Volatile.Write(ref atWork, Math.Max(0, atWork + transactions));

    public bool MayTake(object who, double amount)
    {
        if (called.TryGetValue(who, out var own))
            return bucket.Has(amount, kept - own.Amount);
        return line.Count == 0 && bucket.Has(amount, kept);
    }

    public void Take(object who, double amount)
    {
        Decline(who);
        bucket.Take(amount);
    }

    public void Wait(object who, double amount, Func<bool> call)
    {
        Decline(who);
        if (waiting.Add(who))
            line.AddLast((who, amount, call));
    }

    /// <summary>It makes no use of its turn.</summary>
    public void Decline(object who)
    {
        if (called.Remove(who, out var own))
            kept -= own.Amount;
    }

    /// <summary>The next in line, where there is enough for it.</summary>
    public (object Who, Func<bool> Call)? Next()
    {
        if (line.First is not { Value: var first })
            return null;
        if (called.Count > 0)
        {
            foreach (var late in called.Where(c => clock.GetElapsedTime(c.Value.Since) >= KeptFor).Select(static c => c.Key).ToList())
                Decline(late);
        }

        var amount = Math.Min(first.Amount, bucket.Rate.Burst);
        if (!bucket.Has(amount, kept))
            return null;
        line.RemoveFirst();
        waiting.Remove(first.Who);
        called[first.Who] = (amount, clock.GetTimestamp());
        kept += amount;
        return (first.Who, first.Call);
    }

    /// <summary>When there may be enough for the next in line; null when nobody waits.</summary>
    public long? LooksAgainAt()
    {
        if (line.First is not { Value: var first })
            return null;
        var ready = bucket.ReadyAt(first.Amount, kept);
        if (called.Count == 0)
            return ready;
        var late = called.Values.Min(static c => c.Since) + (long)(KeptFor.TotalSeconds * clock.TimestampFrequency);
        return kept + Math.Min(first.Amount, bucket.Rate.Burst) > bucket.Rate.Burst ? late : Math.Min(ready, late);
    }

    /// <summary>All who wait are to ask again.</summary>
    public void Clear()
    {
        line.Clear();
        waiting.Clear();
        called.Clear();
        kept = 0;
    }
}
