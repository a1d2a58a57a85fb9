namespace Postern.Relay.Accounts;

/// <summary>How much of the machine logins may take.</summary>
public sealed record HashingPoolOptions
{
    /// <summary>Threads of their own, at low priority. Default: half the cores, at least one.</summary>
    public int Threads { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Attempts that wait for a thread; one more is answered at once that it cannot be checked now.</summary>
    public int QueueLength { get; init; } = 64;

    /// <summary>
    /// Attempts of one client address (IPv6: of one /64) that wait or run at a time: an office behind one address logs in at once, and a
    /// flood leaves room for others.
    /// </summary>
    public int PlacesPerPeer { get; init; } = 16;
}
