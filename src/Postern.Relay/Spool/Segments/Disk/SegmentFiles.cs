using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>The files of the operating system.</summary>
internal sealed class SegmentFiles : ISegmentFiles
{
    public SafeFileHandle Create(string path, long size)
    {
        var file = Libc.OpenFile(path, Libc.ReadWrite | Libc.Create | Libc.Exclusive);
        try
        {
            Libc.Allocate(file, size, path);
            return file;
        }
        catch (IOException)
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    public SafeFileHandle Open(string path) => Libc.OpenFile(path, Libc.ReadWrite);

    public IReadOnlyList<string> List(string directory) => Directory.GetFiles(directory);

    public long Length(SafeFileHandle file) => RandomAccess.GetLength(file);

    public int Read(SafeFileHandle file, Span<byte> octets, long offset) => RandomAccess.Read(file, octets, offset);

    public void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> octets, long offset) =>
        RandomAccess.Write(file, octets, offset);

    // fdatasync rather than RandomAccess.FlushToDisk, which is fsync and writes the time stamps too.
    public void Sync(SafeFileHandle file) => Libc.SyncData(file);

    public void Truncate(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void SyncDirectory(string path)
    {
        using var directory = Libc.OpenFile(path, Libc.Directory);
        Libc.Sync(directory, path);
    }

    public DiskSpace Space(string directory) => Libc.Space(directory);
}
