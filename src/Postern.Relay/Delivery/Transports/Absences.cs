namespace Postern.Relay.Delivery.Transports;

/// <summary>Since when nobody could be spoken to at next hops that have somebody to fall back on. May be called from any thread.</summary>
internal sealed class Absences(TimeProvider clock)
{
    /// <summary>Full, it forgets everything: they begin anew.</summary>
    private const int Most = 10_000;

    private readonly Lock gate = new();
    private readonly Dictionary<NextHop, long> since = [];

    /// <summary>Nobody could be spoken to just now; how long that has been so.</summary>
    public TimeSpan Note(NextHop hop)
    {
        lock (gate)
        {
            if (since.TryGetValue(hop, out var begun))
                return clock.GetElapsedTime(begun);
            if (since.Count >= Most)
                since.Clear();
            since[hop] = clock.GetTimestamp();
            return TimeSpan.Zero;
        }
    }

    /// <summary>Somebody was spoken to.</summary>
    public void End(NextHop hop)
    {
        lock (gate)
            since.Remove(hop);
    }
}
