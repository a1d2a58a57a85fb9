using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments;

/// <summary>Makes and retires segment files. Used at opening and by the committer, never by both at once.</summary>
internal sealed class SegmentStore(ISegmentFiles files, string directory, long segmentSize, SpaceGuard guard, SpoolIndex index)
{
    public const long SmallestSegment = 256L << 10;
    public const string Extension = ".segment";

    private const string SpareExtension = ".spare";
    private const int MostSpares = 2;
    private const int SpaceShare = 4;

    private readonly Stack<Segment> spares = [];

    public ISegmentFiles Files => files;

    public long SegmentSize => segmentSize;

    public ulong NextId { get; set; } = 1;

    /// <summary>A new segment with room for a record of <paramref name="stride"/> octets, durably in the directory.</summary>
    public Segment Create(long stride)
    {
        var needed = SegmentHeader.Size + stride + RecordHeader.Size;
        var header = new SegmentHeader(SegmentHeader.CurrentVersion, NextId, RandomStamp());
        var path = Path.Combine(directory, Name(header.Id));
        var segment = spares.TryPeek(out var spare) && spare.Size >= needed
            ? Reuse(spares.Pop(), header, path)
            : Make(header, path, Math.Max(needed, SuitableSize()));
        NextId++;
        lock (index.Gate)
            index.Segments.Add(segment);
        return segment;
    }

    /// <summary>
    /// Takes a segment of which nothing is alive out of the directory. Only when that is durable may removals that it made
    /// necessary be forgotten.
    /// </summary>
    public void Retire(Segment segment)
    {
        bool isRead;
        lock (index.Gate)
            isRead = segment.Readers > 0;
        var isSpare = !isRead && segment.Size == segmentSize && spares.Count < MostSpares
            && guard.Status.Condition == SpoolCondition.Writable;
        if (isSpare)
            files.Rename(segment.Path, SparePath(segment));
        else
            files.Delete(segment.Path);
        files.SyncDirectory(directory);
        lock (index.Gate)
        {
            segment.IsGone = true;
            index.Segments.Remove(segment);
            segment.Residents.Clear();
            segment.Removals.Clear();
            if (!isSpare)
                segment.Close();
        }

        if (isSpare)
            spares.Push(segment);
    }

    /// <summary>Gives the room of the spare files back.</summary>
    public void DropSpares()
    {
        while (spares.TryPop(out var spare))
        {
            files.Delete(SparePath(spare));
            spare.File.Dispose();
        }
    }

    /// <summary>Keeps the spare files for nobody; opening deletes them.</summary>
    public void CloseSpares()
    {
        while (spares.TryPop(out var spare))
            spare.File.Dispose();
    }

    /// <summary>The files of the spool as they are named; nothing is opened and nothing changed.</summary>
    public FoundFiles Find()
    {
        var paths = files.List(directory);
        return new FoundFiles(
            [
                .. from path in paths
                   where Path.GetExtension(path) == Extension
                   let id = ParseName(Path.GetFileNameWithoutExtension(path))
                   where id is not null
                   orderby id
                   select (id.Value, path),
            ],
            [.. paths.Where(static path => Path.GetExtension(path) == SpareExtension)]);
    }

    /// <param name="Segments">In order of their numbers.</param>
    /// <param name="Spares">What an earlier run kept to write again.</param>
    public sealed record FoundFiles(IReadOnlyList<(ulong Id, string Path)> Segments, IReadOnlyList<string> Spares);

    private static string Name(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    private static ulong? ParseName(string name) =>
        name.Length == 16 && ulong.TryParse(name, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id) ? id : null;

    private static ulong RandomStamp()
    {
        Span<byte> octets = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(octets);
        return BinaryPrimitives.ReadUInt64LittleEndian(octets);
    }

    private string SparePath(Segment segment) => Path.Combine(directory, Path.GetFileNameWithoutExtension(segment.Path) + SpareExtension);

    private Segment Make(SegmentHeader header, string path, long size)
    {
        var file = files.Create(path, size);
        try
        {
            WriteHeader(file, header);
            files.SyncDirectory(directory);
        }
        catch (IOException)
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }

        return new Segment(header.Id, header.Stamp, path, file, size);
    }

    /// <summary>The header is durable before the name is: under its own name a file never carries another life's stamp.</summary>
    private Segment Reuse(Segment spare, SegmentHeader header, string path)
    {
        try
        {
            WriteHeader(spare.File, header);
            files.Rename(SparePath(spare), path);
            files.SyncDirectory(directory);
        }
        catch (IOException)
        {
            spare.File.Dispose();
            File.Delete(SparePath(spare));
            File.Delete(path);
            throw;
        }

        return new Segment(header.Id, header.Stamp, path, spare.File, spare.Size);
    }

    private void WriteHeader(SafeFileHandle file, SegmentHeader header)
    {
        var octets = new byte[SegmentHeader.Size + RecordHeader.Size];
        header.Write(octets);
        files.Write(file, [octets], offset: 0);
        files.Sync(file);
    }

    /// <summary>The configured size, or less where that would take more than a quarter of what is free above the reserve.</summary>
    private long SuitableSize()
    {
        var space = files.Space(directory);
        var size = segmentSize;
        while (size > SmallestSegment && size > (space.Free - guard.Reserve(space)) / SpaceShare)
            size /= 2;
        return size;
    }
}
