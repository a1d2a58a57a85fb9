using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Postern.Smtp.Transport;

/// <summary>Counts connections, in all and by client address (IPv6: by /64), and turns away what is over a limit before anything is spent on it.</summary>
internal sealed class ConnectionGate(int maxConnections, int maxPerAddress)
{
    /// <summary>Load balancers' connections that wait for their header: one alone could fill the server with them.</summary>
    private const int MaxUnnamed = 1000;

    private readonly ConcurrentDictionary<IPAddress, int> byAddress = new();
    private int count;
    private int unnamed;

    public int Count => Volatile.Read(ref count);

    /// <summary>Takes a place, or says which limit stands in the way. Each success is answered by one <see cref="Leave"/>.</summary>
    public bool TryEnter(IPAddress client, out string reason)
    {
        if (Interlocked.Increment(ref count) > maxConnections)
        {
            Interlocked.Decrement(ref count);
            reason = "too many connections";
            return false;
        }

        if (!TryCount(client))
        {
            Interlocked.Decrement(ref count);
            reason = "too many connections from one address";
            return false;
        }

        reason = string.Empty;
        return true;
    }

    /// <summary>Takes a place for a connection whose client is not known yet; a <see cref="GatePlace"/> names it, or gives it back.</summary>
    public bool TryEnterUnnamed(out string reason)
    {
        reason = "too many connections";
        if (Interlocked.Increment(ref count) > maxConnections)
        {
            Interlocked.Decrement(ref count);
            return false;
        }

        if (Interlocked.Increment(ref unnamed) <= MaxUnnamed)
            return true;
        AbandonUnnamed();
        return false;
    }

    public void LeaveUnnamed() => Interlocked.Decrement(ref unnamed);

    public void AbandonUnnamed()
    {
        LeaveUnnamed();
        Interlocked.Decrement(ref count);
    }

    public void Leave(IPAddress client)
    {
        Interlocked.Decrement(ref count);
        Uncount(client);
    }

    /// <summary>Counts a connection for this client, or says that it has too many.</summary>
    public bool TryCount(IPAddress client)
    {
        if (byAddress.AddOrUpdate(Place(client), 1, static (_, n) => n + 1) <= maxPerAddress)
            return true;
        Uncount(client);
        return false;
    }

    public void Uncount(IPAddress client)
    {
        var place = Place(client);
        while (byAddress.TryGetValue(place, out var n))
        {
            if (n > 1 ? byAddress.TryUpdate(place, n - 1, n) : byAddress.TryRemove(new(place, n)))
                return;
        }
    }

    /// <summary>An IPv6 client owns a whole /64 and has an address in it for every connection: the network is what counts.</summary>
    private static IPAddress Place(IPAddress client)
    {
        if (client.AddressFamily != AddressFamily.InterNetworkV6)
            return client;
        Span<byte> octets = stackalloc byte[16];
        client.TryWriteBytes(octets, out _);
        octets[8..].Clear();
        return new IPAddress(octets);
    }
}
