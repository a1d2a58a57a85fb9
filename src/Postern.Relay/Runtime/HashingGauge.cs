using Postern.Relay.Accounts;
using Postern.Smtp.Overload;

namespace Postern.Relay.Runtime;

/// <summary>Logins that wait to be hashed. A flood of them stresses the server, and never stops mail of those who are logged in.</summary>
internal sealed class HashingGauge(HashingPool pool) : IPressureGauge
{
    public string Name => "logins";

    public LoadState Heaviest => LoadState.Stressed;

    public double Read() => pool.Fill;
}
