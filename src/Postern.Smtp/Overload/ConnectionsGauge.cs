using Postern.Smtp.Transport;

namespace Postern.Smtp.Overload;

/// <summary>Open connections. The gate turns away what is over the limit; a client that has a place may use it.</summary>
internal sealed class ConnectionsGauge(ConnectionGate gate, int maxConnections) : IPressureGauge
{
    public string Name => "connections";

    public LoadState Heaviest => LoadState.Stressed;

    public double Read() => (double)gate.Count / maxConnections;
}
