using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Segments;

/// <summary>Makes and retires segment files. Used at opening and by the committer, never by both at once.</summary>
internal sealed class SegmentStore(ISegmentFiles files, string directory, long segmentSize, SpaceGuard guard, SpoolIndex index)
{
    public const long SmallestSegment = 256L << 10;
    public const string Extension = ".segment";
    public const string SpareExtension = ".spare";
    public const string RetiredExtension = ".retired";

    private const int MostSpares = 2;
    private const int SpaceShare = 4;

    private static readonly byte[] EndMark = new byte[RecordHeader.Size];

    private readonly Stack<Segment> spares = [];

    // Names of segments that are gone for a good reason, kept until a list without them is on the disk.
    private readonly List<string> graves = [];

    public ISegmentFiles Files => files;

    public long SegmentSize => segmentSize;

    public ulong NextId { get; set; } = 1;

    /// <summary>The segment that the next one follows; null before the first.</summary>
    public Segment? Newest { get; set; }

    /// <summary>A new segment with room for a record of <paramref name="stride"/> octets, durably in the directory.</summary>
    public Segment Create(long stride)
    {
        Segment[] others;
        lock (index.Gate)
            others = [.. index.Segments];
        var needed = SegmentHeader.Size + SegmentList.Stride(others.Length) + stride + SegmentFooter.UsualStride + RecordHeader.Size;
        var path = PathOf(NextId);
        var segment = spares.TryPeek(out var spare) && spare.Size >= needed
            ? Reuse(spares.Pop(), path, others)
            : Make(path, Math.Max(needed, SuitableSize()), others);
        NextId++;
        Newest = segment;
        lock (index.Gate)
            index.Segments.Add(segment);
        ClearGraves();
        return segment;
    }

    /// <summary>Makes sure that the disk has all of the newest segment, and that it shows: its footer is the proof.</summary>
    public void SealNewest()
    {
        if (Newest is not { IsGone: false } newest)
            return;
        if (newest.DoubtfulFrom is not null)
            new SegmentRewrite(files).Run(newest);
        if (!newest.IsSealed)
            WriteFooter(newest);
    }

    /// <summary>Once more, when it may have been read from memory only.</summary>
    public void WriteFooter(Segment segment)
    {
        var footer = new SegmentFooter(segment.Tally, segment.Gaps);
        var record = footer.ToRecord();
        record.PlaceAt(segment, segment.End, order: 0, synced: segment.End);
        files.Write(segment.File, [record.First, EndMark], segment.End);
        files.Sync(segment.File);
        segment.IsSealed = true;
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
            Bury(segment.Path);
        files.SyncDirectory(directory);
        graves.AddRange(isSpare ? [] : [GravePath(segment.Path)]);
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

    /// <summary>
    /// Deletes a segment, or what is left of one, and leaves an empty file that says so: one that is merely missing was lost. On
    /// a disk that has not even room for a name it goes without.
    /// </summary>
    public void Bury(string path)
    {
        try
        {
            if (Path.GetExtension(path) != RetiredExtension)
                files.Create(GravePath(path), size: 0).Dispose();
        }
        catch (IOException e) when (Libc.IsOutOfSpace(e) || Libc.IsOutOfDescriptors(e) || Libc.IsThereAlready(e))
        {
        }

        files.Delete(path);
    }

    /// <summary>What an earlier run left: to be cleared when the next segment is there.</summary>
    public void Remember(IEnumerable<string> found) => graves.AddRange(found.Select(GravePath).Distinct());

    /// <summary>Gives the room of the spare files back.</summary>
    public void DropSpares()
    {
        while (spares.TryPop(out var spare))
        {
            BurySpare(spare);
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
            [.. paths.Where(static path => Path.GetExtension(path) == SpareExtension)],
            [.. paths.Where(static path => Path.GetExtension(path) == RetiredExtension)]);
    }

    /// <param name="Segments">In order of their numbers.</param>
    /// <param name="Spares">What an earlier run kept to write again.</param>
    /// <param name="Graves">Names of segments that were retired.</param>
    public sealed record FoundFiles(
        IReadOnlyList<(ulong Id, string Path)> Segments, IReadOnlyList<string> Spares, IReadOnlyList<string> Graves)
    {
        /// <summary>Of the segments that need not be there.</summary>
        public HashSet<ulong> Retired { get; } =
            [.. from path in Spares.Concat(Graves)
                let id = ParseName(Path.GetFileNameWithoutExtension(path))
                where id is not null
                select id.Value];
    }

    public string PathOf(ulong id) => Path.Combine(directory, Name(id));

    private static string Name(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture) + Extension;

    private static ulong? ParseName(string name) =>
        name.Length == 16 && ulong.TryParse(name, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id) ? id : null;

    private static ulong RandomStamp()
    {
        Span<byte> octets = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(octets);
        return BinaryPrimitives.ReadUInt64LittleEndian(octets);
    }

    private static string GravePath(string path) => Path.ChangeExtension(path, RetiredExtension);

    private void ClearGraves()
    {
        try
        {
            for (; graves.Count > 0; graves.RemoveAt(graves.Count - 1))
                files.Delete(graves[^1]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // They do no harm, and are tried again.
        }
    }

    private string SparePath(Segment segment) => Path.Combine(directory, Path.GetFileNameWithoutExtension(segment.Path) + SpareExtension);

    private Segment Make(string path, long size, Segment[] others)
    {
        var file = files.Create(path, size);
        try
        {
            // Only now: while there is no room for another segment, the newest goes on with what fits.
            SealNewest();
            var segment = Begin(path, file, size, others);
            files.SyncDirectory(directory);
            return segment;
        }
        catch (Exception)
        {
            file.Dispose();
            Abandon(path);
            throw;
        }
    }

    /// <summary>The header is durable before the name is: under its own name a file never carries another life's stamp.</summary>
    private Segment Reuse(Segment spare, string path, Segment[] others)
    {
        try
        {
            SealNewest();
            var segment = Begin(path, spare.File, spare.Size, others);
            files.Rename(SparePath(spare), path);
            files.SyncDirectory(directory);
            return segment;
        }
        catch (Exception)
        {
            spare.File.Dispose();
            Abandon(path);
            BurySpare(spare);
            throw;
        }
    }

    /// <summary>A file that did not become a segment. If it stays, opening finds that nothing is in it.</summary>
    private void Abandon(string path)
    {
        try
        {
            files.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private void BurySpare(Segment spare)
    {
        try
        {
            Bury(SparePath(spare));
            graves.Add(GravePath(spare.Path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays, and the next start tries again.
        }
    }

    /// <summary>Writes the header, the list of the other segments, and the mark of the end; and syncs.</summary>
    private Segment Begin(string path, SafeFileHandle file, long size, Segment[] others)
    {
        SegmentEnd? previous = Newest is { } newest ? new SegmentEnd(newest.Id, newest.Stamp, newest.End, newest.Tally) : null;
        var header = new SegmentHeader(SegmentHeader.CurrentVersion, NextId, RandomStamp(), previous);
        var segment = new Segment(header, path, file, size);
        var octets = new byte[SegmentHeader.Size];
        header.Write(octets);
        var list = SegmentList.ToRecord(others);
        list.PlaceAt(segment, SegmentHeader.Size, order: 0, synced: SegmentHeader.Size);
        segment.Tally = segment.Tally.With(RecordHeader.CrcOf(list.First.Span));
        segment.End += list.Stride;
        files.Write(file, [octets, list.First, EndMark], offset: 0);
        files.Sync(file);
        return segment;
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
