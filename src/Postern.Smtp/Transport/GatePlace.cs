using System.Net;

namespace Postern.Smtp.Transport;

/// <summary>One connection's place at the gate: a load balancer's connection is nobody's until its header names the client, and XCLIENT moves it to another.</summary>
/// <param name="client">For whom it counts; null while nobody is named.</param>
internal sealed class GatePlace(SmtpServer server, IPAddress? client) : IDisposable
{
    private IPAddress? client = client;

    public bool IsNamed => client is not null;

    /// <summary>From now on it counts for this client; or it stays where it was, and the limit is named.</summary>
    public bool TryMove(IPAddress to, out string reason)
    {
        reason = string.Empty;
        if (to.Equals(client))
            return true;
        if (!server.Gate.TryCount(to))
        {
            reason = "too many connections from one address";
            return false;
        }

        if (client is null)
            server.Gate.LeaveUnnamed();
        else
            server.Gate.Uncount(client);
        client = to;
        return true;
    }

    public void Dispose() => server.LeaveGate(client);
}
