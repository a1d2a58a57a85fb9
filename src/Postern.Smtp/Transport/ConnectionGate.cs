using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Transport;

/// <summary>
/// Counts connections, in all and by client address (IPv6: by /64), and turns away what is over a limit before anything is spent on it.
/// </summary>
/// <param name="left">Called after each connection that has left.</param>
internal sealed class ConnectionGate(int maxConnections, int maxPerAddress, Action left)
{
    /// <summary>Load balancers' connections that wait for their header: one alone could fill the server with them.</summary>
    private const int MaxUnnamed = 1000;

    private readonly ConcurrentDictionary<IPAddress, int> byAddress = new();
    private volatile int maxConnections = maxConnections;
    private volatile int maxPerAddress = maxPerAddress;
    private int count;
    private int unnamed;

    public int Count => Volatile.Read(ref count);

    /// <summary>How full it is: 0 to 1, and more where the limit was lowered below what is open.</summary>
    public double Fullness => (double)Count / maxConnections;

    /// <summary>Counts from the next connection on: whoever is in stays in.</summary>
    public void Apply(int connections, int perAddress) => (maxConnections, maxPerAddress) = (connections, perAddress);

    /// <summary>Takes a place, or says which limit stands in the way. Each place is given back by one <see cref="Leave"/>.</summary>
    public GateLimit? Enter(IPAddress client)
    {
        if (Interlocked.Increment(ref count) > maxConnections)
        {
            Interlocked.Decrement(ref count);
            return GateLimit.Connections;
        }

        if (!TryCount(client))
        {
            Interlocked.Decrement(ref count);
            return GateLimit.PerAddress;
        }

        return null;
    }

    /// <summary>
    /// Takes a place for a connection whose client is not known yet; a <see cref="GateSeat"/> names it, or gives it back.
    /// </summary>
    public GateLimit? EnterUnnamed()
    {
        if (Interlocked.Increment(ref count) > maxConnections)
        {
            Interlocked.Decrement(ref count);
            return GateLimit.Connections;
        }

        if (Interlocked.Increment(ref unnamed) <= MaxUnnamed)
            return null;
        AbandonUnnamed();
        return GateLimit.Connections;
    }

    public void LeaveUnnamed() => Interlocked.Decrement(ref unnamed);

    public void AbandonUnnamed()
    {
        LeaveUnnamed();
        Interlocked.Decrement(ref count);
        left();
    }

    public void Leave(IPAddress client)
    {
        Uncount(client);
        Interlocked.Decrement(ref count);
        left();
    }

    /// <summary>Counts a connection for this client, or says that it has too many.</summary>
    public bool TryCount(IPAddress client)
    {
        if (byAddress.AddOrUpdate(Network(client), 1, static (_, n) => n + 1) <= maxPerAddress)
            return true;
        Uncount(client);
        return false;
    }

    public void Uncount(IPAddress client)
    {
        var network = Network(client);
        while (byAddress.TryGetValue(network, out var n))
        {
            if (n > 1 ? byAddress.TryUpdate(network, n - 1, n) : byAddress.TryRemove(new(network, n)))
                return;
        }
    }

    /// <summary>An IPv6 client owns a whole /64 and has an address in it for every connection: the network is what counts.</summary>
    private static IPAddress Network(IPAddress client)
    {
        if (client.AddressFamily != AddressFamily.InterNetworkV6)
            return client;
        Span<byte> octets = stackalloc byte[16];
        client.TryWriteBytes(octets, out _);
        octets[8..].Clear();
        return new IPAddress(octets);
    }
}

/// <summary>Why a connection was turned away.</summary>
public enum TurnAwayCause
{
    /// <summary>The listener is not for this client.</summary>
    NotAllowed,

    /// <summary>The server has as many connections as it may.</summary>
    TooMany,

    /// <summary>The client has as many as one address may.</summary>
    TooManyFromAddress,

    /// <summary>The server has no memory or disk to spare for another.</summary>
    Overload,
}

/// <summary>What turned a connection away.</summary>
/// <param name="Cause">What of the limits it was.</param>
/// <param name="Reason">For the log.</param>
/// <param name="Reply">For the client.</param>
internal sealed record GateLimit(TurnAwayCause Cause, string Reason, Reply Reply)
{
    public static readonly GateLimit Connections = new(TurnAwayCause.TooMany, "too many connections", StandardReply.TooManyConnections);

    public static readonly GateLimit PerAddress = new(
        TurnAwayCause.TooManyFromAddress, "too many connections from one address", StandardReply.TooManyFromAddress);
}

/// <summary>Open connections. The gate turns away what is over the limit; a client that has a place may use it.</summary>
internal sealed class ConnectionsGauge(ConnectionGate gate) : IPressureGauge
{
    public string Name => "connections";

    public LoadState Heaviest => LoadState.Stressed;

    public double Read() => gate.Fullness;
}

/// <summary>
/// One connection's place at the gate: a load balancer's connection is nobody's until its header names the client, and XCLIENT moves it to
/// another.
/// </summary>
/// <param name="client">For whom it counts; null while nobody is named.</param>
internal sealed class GateSeat(ConnectionGate gate, IPAddress? client) : IDisposable
{
    private IPAddress? client = client;

    public bool IsNamed => client is not null;

    /// <summary>From now on it counts for this client; or it stays where it was, and the limit is named.</summary>
    public GateLimit? MoveTo(IPAddress to)
    {
        if (to.Equals(client))
            return null;
        if (!gate.TryCount(to))
            return GateLimit.PerAddress;
        if (client is null)
            gate.LeaveUnnamed();
        else
            gate.Uncount(client);
        client = to;
        return null;
    }

    public void Dispose()
    {
        if (client is null)
            gate.AbandonUnnamed();
        else
            gate.Leave(client);
    }
}
