using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Tests.Spool;

/// <summary>The files of the system, until a fault is planted: the call named fails with an errno.</summary>
internal sealed class FaultyFiles : ISegmentFiles
{
    public const int InputOutputError = 5;
    public const int AccessDenied = 13;
    public const int TooManyOpenFiles = 24;
    public const int NoSpace = 28;

    private readonly SegmentFiles files = new();
    private long largestWrite;

    /// <summary>Asked before every call with its name; the errno to fail with, or 0.</summary>
    public Func<string, int> Fault { get; set; } = static _ => 0;

    /// <summary>A write that is to fail first writes so many octets.</summary>
    public int PartialWrite { get; set; }

    /// <summary>Reads that want the octet at this offset fail.</summary>
    public long UnreadableAt { get; set; } = -1;

    /// <summary>Reads that reach the end of a file get nothing.</summary>
    public bool IsShortened { get; set; }

    public Func<DiskSpace>? FakeSpace { get; set; }

    /// <summary>The most octets that were written by one call since this was set.</summary>
    public long LargestWrite
    {
        get => Interlocked.Read(ref largestWrite);
        set => Interlocked.Exchange(ref largestWrite, value);
    }

    /// <summary>The calls made, in order.</summary>
    public List<string> Calls { get; } = [];

    public List<string> SyncedDirectories { get; } = [];

    public int CountOf(string call)
    {
        lock (Calls)
            return Calls.Count(made => made == call);
    }

    /// <summary>The first <paramref name="name"/> from now on that is number <paramref name="nth"/> fails, and no other.</summary>
    public void FailOnce(string name, int errno, int nth = 1)
    {
        var count = 0;
        Fault = call => call == name && ++count == nth ? errno : 0;
    }

    public void FailAlways(string name, int errno) => Fault = call => call == name ? errno : 0;

    public void Heal() => Fault = static _ => 0;

    public SafeFileHandle Create(string path, long size)
    {
        Meet(nameof(Create));
        return files.Create(path, size);
    }

    public SafeFileHandle Open(string path)
    {
        Meet(nameof(Open));
        return files.Open(path);
    }

    public IReadOnlyList<string> List(string directory)
    {
        Meet(nameof(List));
        return files.List(directory);
    }

    public long Length(SafeFileHandle file)
    {
        Meet(nameof(Length));
        return files.Length(file);
    }

    public int Read(SafeFileHandle file, Span<byte> octets, long offset)
    {
        Meet(nameof(Read));
        if (IsShortened && RandomAccess.GetLength(file) - offset <= octets.Length)
            return 0;
        if (offset <= UnreadableAt && UnreadableAt < offset + octets.Length)
            throw new IOException("planted in Read", InputOutputError);
        return files.Read(file, octets, offset);
    }

    /// <summary>A test may set it meanwhile.</summary>
    private void Note(long size)
    {
        long seen;
        while ((seen = LargestWrite) < size && Interlocked.CompareExchange(ref largestWrite, size, seen) != seen)
        {
        }
    }

    public void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> octets, long offset)
    {
        Note(octets.Sum(static part => (long)part.Length));
        try
        {
            Meet(nameof(Write));
        }
        catch (IOException)
        {
            var all = octets.SelectMany(static piece => piece.ToArray()).Take(PartialWrite).ToArray();
            files.Write(file, [all], offset);
            throw;
        }

        files.Write(file, octets, offset);
    }

    public void Sync(SafeFileHandle file)
    {
        Meet(nameof(Sync));
        files.Sync(file);
    }

    public void Truncate(SafeFileHandle file, long length)
    {
        Meet(nameof(Truncate));
        files.Truncate(file, length);
    }

    public void Rename(string from, string to)
    {
        Meet(nameof(Rename));
        files.Rename(from, to);
    }

    public void Delete(string path)
    {
        Meet(nameof(Delete));
        files.Delete(path);
    }

    public void SyncDirectory(string path)
    {
        lock (Calls)
            SyncedDirectories.Add(path);
        Meet(nameof(SyncDirectory));
        files.SyncDirectory(path);
    }

    public DiskSpace Space(string directory) => FakeSpace?.Invoke() ?? files.Space(directory);

    private void Meet(string call)
    {
        lock (Calls)
            Calls.Add(call);
        var errno = Fault(call);
        if (errno == AccessDenied)
            throw new UnauthorizedAccessException($"planted in {call}");
        if (errno != 0)
            throw new IOException($"planted in {call}", errno);
    }
}
