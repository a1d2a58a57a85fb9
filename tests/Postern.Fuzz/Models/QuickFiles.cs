using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Fuzz.Models;

/// <summary>The real files, without waiting for the disk: nothing here outlives the process.</summary>
internal sealed class QuickFiles : ISegmentFiles
{
    private readonly SegmentFiles real = new();

    public SafeFileHandle Create(string path, long size) => real.Create(path, size);

    public SafeFileHandle Open(string path) => real.Open(path);

    public IReadOnlyList<string> List(string directory) => real.List(directory);

    public long Length(SafeFileHandle file) => real.Length(file);

    public int Read(SafeFileHandle file, Span<byte> octets, long offset) => real.Read(file, octets, offset);

    public void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> octets, long offset) => real.Write(file, octets, offset);

    public void Sync(SafeFileHandle file)
    {
    }

    public void Truncate(SafeFileHandle file, long length) => real.Truncate(file, length);

    public void Rename(string from, string to) => real.Rename(from, to);

    public void Delete(string path) => real.Delete(path);

    public void SyncDirectory(string path)
    {
    }

    public DiskSpace Space(string directory) => real.Space(directory);
}
