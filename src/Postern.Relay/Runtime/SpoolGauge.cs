using Postern.Relay.Spool;
using Postern.Smtp.Overload;

namespace Postern.Relay.Runtime;

/// <summary>
/// Whether the spool takes messages. It stresses only: the store answers 452 or 451 before the content, which tells a client more than
/// a closed door.
/// </summary>
internal sealed class SpoolGauge(ISpool spool) : IPressureGauge
{
    public string Name => "spool";

    public bool IsStorage => true;

    public LoadState Heaviest => LoadState.Stressed;

    public double Read() => spool.Status.Condition == SpoolCondition.Writable ? 0 : 1;
}
