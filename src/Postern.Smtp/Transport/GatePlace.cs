using System.Net;

namespace Postern.Smtp.Transport;

/// <summary>
/// One connection's place at the gate: a load balancer's connection is nobody's until its header names the client, and XCLIENT moves it to
/// another.
/// </summary>
/// <param name="client">For whom it counts; null while nobody is named.</param>
internal sealed class GatePlace(ConnectionGate gate, IPAddress? client) : IDisposable
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
