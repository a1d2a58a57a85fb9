using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Testing;

namespace Postern.Relay.Tests.Spool;

/// <summary>The contract on segments so small that most tests cross several.</summary>
public sealed class SegmentSpoolTests : SpoolClaimsContract, IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly List<SegmentSpool> opened = [];
    private string path;

    public SegmentSpoolTests()
    {
        path = directory.Spool;
        Open();
    }

    protected override ISpool Spool => opened[^1];

    protected override ManualClock Clock { get; } = new();

    protected override async ValueTask<bool> ReopenAsync()
    {
        await Spool.DisposeAsync();
        Open();
        return true;
    }

    /// <summary>The files as they are now, while the first life has them open still.</summary>
    protected override ValueTask<bool> KillAsync()
    {
        var copy = path + "-killed";
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(path).Where(static file => file.EndsWith(".segment", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        path = copy;
        Open();
        return new(true);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var spool in opened)
            await spool.DisposeAsync();
        directory.Dispose();
    }

    private void Open() => opened.Add(SegmentSpool.Open(new SegmentSpoolOptions { Directory = path, SegmentSize = 128 << 10, Reserve = 0 }, Clock));
}
