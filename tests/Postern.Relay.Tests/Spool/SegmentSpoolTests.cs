using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>The contract on segments so small that most tests cross several.</summary>
public sealed class SegmentSpoolTests : SpoolContract, IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly SegmentSpool spool;

    public SegmentSpoolTests() => spool = SegmentSpool.Open(
        new SegmentSpoolOptions { Directory = directory.Spool, SegmentSize = 128 << 10, Reserve = 0 }, TimeProvider.System);

    protected override ISpool Spool => spool;

    public async ValueTask DisposeAsync()
    {
        await spool.DisposeAsync();
        directory.Dispose();
    }
}
