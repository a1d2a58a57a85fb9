namespace Postern.Relay.Tests.Spool;

/// <summary>A directory that goes away with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("postern-spool-").FullName;

    public string Spool => System.IO.Path.Combine(Path, "spool");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
