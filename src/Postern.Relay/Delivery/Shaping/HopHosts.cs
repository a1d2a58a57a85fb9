namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// The host that mail of a domain goes to first, as it was found last: which group of receivers it belongs to. The oldest are forgotten.
/// May be called from any thread.
/// </summary>
internal sealed class HopHosts
{
    /// <summary>So many are known at least, once there have been as many; twice as many at most.</summary>
    private const int Generation = 10_000;

    private readonly Lock gate = new();
    private Dictionary<string, string> young = new(StringComparer.Ordinal);
    private Dictionary<string, string> old = new(StringComparer.Ordinal);

    public void Note(string domain, string host)
    {
        lock (gate)
        {
            young[domain] = host;
            if (young.Count >= Generation)
                (old, young) = (young, new Dictionary<string, string>(StringComparer.Ordinal));
        }
    }

    public string? Find(string domain)
    {
        lock (gate)
            return young.GetValueOrDefault(domain) ?? old.GetValueOrDefault(domain);
    }
}
