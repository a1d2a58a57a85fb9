using Postern.Relay.Spool.Segments;
using Postern.Testing;

namespace Postern.Relay.Tests.Spool;

/// <summary>A spool directory that tests open, close, damage and open again.</summary>
internal sealed class SpoolHome : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public string Path => directory.Spool;

    public FaultyFiles Files { get; } = new();

    public ManualClock Clock { get; } = new();

    public long SegmentSize { get; init; } = 64 << 10;

    public string[] Segments => [.. Directory.GetFiles(Path, "*.segment").Order(StringComparer.Ordinal)];

    public string[] Quarantined => Directory.Exists(System.IO.Path.Combine(Path, "quarantine"))
        ? Directory.GetFiles(System.IO.Path.Combine(Path, "quarantine"))
        : [];

    public SegmentSpool Open(long? reserve = 0) =>
        SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path, SegmentSize = SegmentSize, Reserve = reserve }, Clock, Files);

    /// <summary>Gives the committer turns until compaction has led to what the test expects.</summary>
    public static async Task UntilAsync(SegmentSpool spool, Func<bool> isSo)
    {
        for (var turn = 0; !isSo(); turn++)
        {
            Assert.True(turn < 2000, "compaction does not come to it");
            spool.Remove(await Samples.CommitAsync(spool, ReadOnlyMemory<byte>.Empty));
        }
    }

    public void Dispose() => directory.Dispose();
}
