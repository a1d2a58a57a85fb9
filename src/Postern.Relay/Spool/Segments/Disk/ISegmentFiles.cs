using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>
/// What the log asks of the file system; a seam, so that tests can make the nth call fail. Failures are <see cref="IOException"/>
/// with the errno as <see cref="Exception.HResult"/>,
/// or <see cref="UnauthorizedAccessException"/>.
/// </summary>
internal interface ISegmentFiles
{
    /// <summary>Makes a new file, mode 0600, with its room allocated where the file system can; leaves none behind when it fails.</summary>
    SafeFileHandle Create(string path, long size);

    /// <summary>Opens a file for reading and writing; refuses a symbolic link.</summary>
    SafeFileHandle Open(string path);

    /// <summary>The paths of the files in a directory, without those in directories below.</summary>
    IReadOnlyList<string> List(string directory);

    long Length(SafeFileHandle file);

    /// <summary>Fewer octets than asked for are no error; none at all is the end of the file.</summary>
    int Read(SafeFileHandle file, Span<byte> octets, long offset);

    void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> octets, long offset);

    /// <summary>Returns when what was written is on the disk.</summary>
    void Sync(SafeFileHandle file);

    void Truncate(SafeFileHandle file, long length);

    void Rename(string from, string to);

    void Delete(string path);

    /// <summary>Returns when creations, renames and deletions in the directory are on the disk.</summary>
    void SyncDirectory(string path);

    DiskSpace Space(string directory);
}

/// <summary>Octets of a file system, and how many of them this process may still take.</summary>
/// <param name="FreeFiles">How many files may still be made; the greatest number where the file system has no such bound.</param>
internal readonly record struct DiskSpace(long Total, long Free, long FreeFiles = long.MaxValue);
