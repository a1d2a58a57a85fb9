using Postern.Relay.Accounts;
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

    /// <summary>As of the last reading, a second ago at most.</summary>
    public SpoolCondition Condition { get; private set; }

    public double Read()
    {
        Condition = spool.Status.Condition;
        return Condition == SpoolCondition.Writable ? 0 : 1;
    }
}

/// <summary>How long messages wait for the disk of the spool; five seconds are as much as a server may take on.</summary>
internal sealed class CommitGauge(ISpool spool) : IPressureGauge
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(5);

    public string Name => "disk latency";

    public double Read() => spool.CommitTime / Most;
}

/// <summary>Logins that wait to be hashed. A flood of them stresses the server, and never stops mail of those who are logged in.</summary>
internal sealed class HashingGauge(HashingPool pool) : IPressureGauge
{
    public string Name => "logins";

    public LoadState Heaviest => LoadState.Stressed;

    public double Read() => pool.Fill;
}
