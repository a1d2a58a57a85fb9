namespace Postern.Relay.Accounts;

/// <summary>
/// The attempts that wait to be hashed, shared out fairly between networks of growing width, so that logins from many addresses take no
/// more than a part of it. Whose network has wasted the least comes first, and when there is no room the newest of the network that takes
/// the most gives way to one that takes less. Pairs of address and account that are known to be good come before all others. Not safe to
/// use from several threads.
/// </summary>
internal sealed class HashingQueue(int capacity, TimeProvider clock)
{
    /// <summary>Of what a network has wasted, no more is held against it.</summary>
    private const int MostHeld = 16;

    /// <summary>Every so many turns the oldest is taken, whoever it is: nobody waits for ever behind others that come and come.</summary>
    private const int TurnOfTheOldest = 4;

    /// <summary>Networks remembered, in each half.</summary>
    private const int Remembered = 30_000;

    private static readonly TimeSpan Half = TimeSpan.FromMinutes(5);

    /// <summary>In the order in which they came.</summary>
    private readonly List<HashingJob> waiting = [];

    // Two halves: the old one is dropped when the young one is full, or old enough.
    private Dictionary<ClientNetwork, int> young = [];
    private Dictionary<ClientNetwork, int> old = [];
    private long youngSince = clock.GetTimestamp();
    private int turns;

    public int Count => waiting.Count;

    /// <summary>Attempts that wait at most. Where it gets smaller, those that wait stay.</summary>
    public int Capacity { get; set; } = capacity;

    /// <summary>False when there is no place for it. <paramref name="displaced"/> is who lost a place to it.</summary>
    public bool TryAdd(HashingJob job, out HashingJob? displaced)
    {
        displaced = null;
        if (waiting.Count >= Capacity)
        {
            displaced = WhoGivesWayTo(job);
            if (displaced is null)
                return false;
            waiting.Remove(displaced);
        }

        waiting.Add(job);
        return true;
    }

    /// <summary>The next to be hashed; null when nobody waits. Until it is forgiven, its turn counts against its networks.</summary>
    public HashingJob? Take()
    {
        if (waiting.Count == 0)
            return null;
        turns++;
        var next = waiting[0];
        if (turns % TurnOfTheOldest != 0)
        {
            foreach (var job in waiting)
            {
                if ((job.IsKnown, -Wasted(job)).CompareTo((next.IsKnown, -Wasted(next))) > 0)
                    next = job;
            }
        }

        waiting.Remove(next);
        foreach (var network in next.Networks)
            young[network] = young.GetValueOrDefault(network) + 1;
        if (young.Count > Remembered || clock.GetElapsedTime(youngSince) > Half)
            (old, young, youngSince) = (young, [], clock.GetTimestamp());
        return next;
    }

    /// <summary>It was a good login: nothing was wasted.</summary>
    public void Forgive(HashingJob job)
    {
        foreach (var network in job.Networks)
        {
            if (young.TryGetValue(network, out var count) && count > 0)
                young[network] = count - 1;
        }
    }

    /// <summary>Empties the queue; answers with what was in it.</summary>
    public HashingJob[] Clear()
    {
        HashingJob[] left = [.. waiting];
        waiting.Clear();
        return left;
    }

    /// <summary>
    /// The newest attempt of the network that takes the most, looked at narrow networks first; null where <paramref name="job"/> would take
    /// as much. A known pair gives way to known ones only, and others always give way to it.
    /// </summary>
    private HashingJob? WhoGivesWayTo(HashingJob job)
    {
        var strangers = waiting.FindAll(static j => !j.IsKnown);
        var isFirst = job.IsKnown && strangers.Count > 0;
        var candidates = job.IsKnown && strangers.Count == 0 ? waiting : strangers;
        for (var width = 0; width < ClientNetwork.Widths; width++)
        {
            var loads = candidates.CountBy(j => j.Networks[width]).ToDictionary(static n => n.Key, n => n.Value + Held(n.Key));
            if (loads.Count == 0)
                return null;
            var most = loads.MaxBy(static n => n.Value);
            var own = 1 + loads.GetValueOrDefault(job.Networks[width], Held(job.Networks[width]));
            if (isFirst || most.Value > own)
                return candidates.FindLast(j => j.Networks[width] == most.Key);
        }

        return null;
    }

    private int Wasted(HashingJob job)
    {
        var sum = 0;
        foreach (var network in job.Networks)
            sum += Held(network);
        return sum;
    }

    private int Held(ClientNetwork network) => Math.Min(MostHeld, young.GetValueOrDefault(network) + old.GetValueOrDefault(network));
}
