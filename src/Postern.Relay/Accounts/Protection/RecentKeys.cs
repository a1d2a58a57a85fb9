namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// Digests that were seen within a time. Bounded by two halves: when the young one is full the old one is dropped. Not synchronized.
/// </summary>
internal sealed class RecentKeys<TKey>(int capacity, TimeSpan life, TimeProvider clock)
    where TKey : struct
{
    /// <summary>Kept at most; those that are there stay until others push them out.</summary>
    public int Capacity { get; set; } = capacity;

    private Dictionary<TKey, long> young = [];
    private Dictionary<TKey, long> old = [];

    public int Count => young.Count + old.Count;

    public bool Contains(TKey key) => AgeOf(key) is not null;

    /// <summary>Time since it was added; null where it was not, or too long ago. What is asked for stays longest.</summary>
    public TimeSpan? AgeOf(TKey key)
    {
        if (!young.TryGetValue(key, out var at))
        {
            if (!old.Remove(key, out at))
                return null;
            Put(key, at);
        }

        var age = clock.GetElapsedTime(at);
        if (age < life)
            return age;
        young.Remove(key);
        return null;
    }

    /// <summary>Adds it, or begins its life again.</summary>
    /// <param name="age">How long ago it was seen.</param>
    public void Add(TKey key, TimeSpan age = default) =>
        Put(key, clock.GetTimestamp() - (long)(age.TotalSeconds * clock.TimestampFrequency));

    public bool Remove(TKey key) => young.Remove(key) | old.Remove(key);

    /// <summary>From the one that will be dropped first on.</summary>
    public IEnumerable<(TKey Key, TimeSpan Age)> All() =>
        old.Concat(young).Select(entry => (entry.Key, clock.GetElapsedTime(entry.Value))).Where(entry => entry.Item2 < life);

    private void Put(TKey key, long at)
    {
        old.Remove(key);
        if (young.Count >= Math.Max(1, Capacity / 2) && !young.ContainsKey(key))
            (old, young) = (young, []);
        young[key] = at;
    }
}
