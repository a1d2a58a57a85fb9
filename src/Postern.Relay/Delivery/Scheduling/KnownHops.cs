namespace Postern.Relay.Delivery.Scheduling;

/// <summary>Next hops where somebody answered lately; the oldest are forgotten. May be called from any thread.</summary>
internal sealed class KnownHops
{
    /// <summary>So many are known at least, once there have been as many; twice as many at most.</summary>
    private const int Generation = 10_000;

    private readonly Lock gate = new();
    private HashSet<NextHop> young = [];
    private HashSet<NextHop> old = [];

    public void Add(NextHop hop)
    {
        lock (gate)
        {
            if (young.Add(hop) && young.Count >= Generation)
                (old, young) = (young, []);
        }
    }

    public bool Has(NextHop hop)
    {
        lock (gate)
            return young.Contains(hop) || old.Contains(hop);
    }
}
