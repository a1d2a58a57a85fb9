using Postern.Relay.Spool;
using Postern.Smtp.Overload;

namespace Postern.Relay.Runtime;

/// <summary>How long messages wait for the disk of the spool; five seconds are as much as a server may take on.</summary>
internal sealed class CommitGauge(ISpool spool) : IPressureGauge
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(5);

    public string Name => "disk latency";

    public double Read() => spool.CommitTime / Most;
}
