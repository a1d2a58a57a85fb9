using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;

namespace Postern.Relay.Tests.Spool;

public sealed class MemorySpoolTests : SpoolContract
{
    protected override ISpool Spool { get; } = new MemorySpool();
}
