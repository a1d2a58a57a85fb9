using Postern.Relay.Spool.Segments;

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

    /// <summary>Lets the committer finish what it has been given, and what follows from that, such as compaction.</summary>
    public static async Task QuiesceAsync(SegmentSpool spool)
    {
        for (var i = 0; i < 20; i++)
        {
            var id = await Samples.CommitAsync(spool, ReadOnlyMemory<byte>.Empty);
            spool.Remove(id);
        }
    }

    public void Dispose() => directory.Dispose();
}
