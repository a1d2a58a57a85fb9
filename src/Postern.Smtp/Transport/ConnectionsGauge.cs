using Postern.Smtp.Overload;

namespace Postern.Smtp.Transport;

/// <summary>Open connections. The gate turns away what is over the limit; a client that has a place may use it.</summary>
internal sealed class ConnectionsGauge(ConnectionGate gate) : IPressureGauge
{
    public string Name => "connections";

    public LoadState Heaviest => LoadState.Stressed;

    public double Read() => gate.Fullness;
}
