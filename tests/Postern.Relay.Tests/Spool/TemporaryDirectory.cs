namespace Postern.Relay.Tests.Spool;

/// <summary>A directory that goes away with the test; in memory where the system has such a place, so that a sync costs nothing.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private const string InMemory = "/dev/shm";

    public TemporaryDirectory(bool onDisk = false)
    {
        Path = System.IO.Path.Combine(onDisk || !Directory.Exists(InMemory) ? System.IO.Path.GetTempPath() : InMemory, $"postern-spool-{Guid.NewGuid():n}");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string Spool => System.IO.Path.Combine(Path, "spool");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
