using System.Collections.Concurrent;
using System.Net;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Addresses whose TLS handshakes hang, so that not every connection waits for one. Only asked where the host would be spoken to in clear
/// in the end. Full, it forgets everything: a handshake then hangs once more.
/// </summary>
internal sealed class StalledTls(TimeSpan kept, TimeProvider clock)
{
    public const int Most = 1000;

    private readonly ConcurrentDictionary<IPEndPoint, long> addresses = new();

    public int Count => addresses.Count;

    public void Note(IPEndPoint address)
    {
        if (addresses.Count >= Most)
            addresses.Clear();
        addresses[address] = clock.GetTimestamp();
    }

    public bool Remembers(IPEndPoint address)
    {
        if (addresses.IsEmpty || !addresses.TryGetValue(address, out var since))
            return false;
        if (clock.GetElapsedTime(since) < kept)
            return true;
        addresses.TryRemove(address, out _);
        return false;
    }
}
