using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Testing;

namespace Postern.Relay.Tests.Spool;

public sealed class MemorySpoolTests : SpoolClaimsContract
{
    private readonly ManualClock clock = new();

    public MemorySpoolTests() => Spool = new MemorySpool(clock);

    protected override ISpool Spool { get; }

    protected override ManualClock Clock => clock;

    protected override ValueTask<bool> ReopenAsync() => new(false);

    protected override ValueTask<bool> KillAsync() => new(false);
}
