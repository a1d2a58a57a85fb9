using System.Buffers.Binary;
using System.Globalization;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>
/// The file <c>distrust</c> beside the segments, written when a sync failed: which segment, and up to where it was synced before. What
/// stands behind that may be whole in the kernel's memory, and was answered 451: without the note a restart would take it for accepted, and
/// a second copy of what the client sent again would go out. It is honoured, and deleted, before anything is written behind the cut.
/// </summary>
internal static class DistrustNote
{
    public const string Name = "distrust";
    private const int Size = 40;
    private const int IdAt = 8;
    private const int StampAt = 16;
    private const int EndAt = 24;
    private const int CrcAt = 32;

    private static ReadOnlySpan<byte> Magic => "POSTDIS\n"u8;

    /// <summary>Done when it is on the disk, name and all.</summary>
    /// <param name="end">The octet behind the last one that was synced.</param>
    /// <exception cref="IOException">It is not.</exception>
    public static void Write(ISegmentFiles files, Segment segment, long end)
    {
        var octets = new byte[Size];
        Magic.CopyTo(octets);
        BinaryPrimitives.WriteUInt64LittleEndian(octets.AsSpan(IdAt), segment.Id);
        BinaryPrimitives.WriteUInt64LittleEndian(octets.AsSpan(StampAt), segment.Stamp);
        BinaryPrimitives.WriteInt64LittleEndian(octets.AsSpan(EndAt), end);
        BinaryPrimitives.WriteUInt32LittleEndian(octets.AsSpan(CrcAt), Crc32C.Of(octets.AsSpan(0, CrcAt)));
        var directory = Path.GetDirectoryName(segment.Path)!;
        using var file = files.Create(Path.Combine(directory, Name), Size);
        files.Write(file, [octets], offset: 0);
        files.Sync(file);
        files.SyncDirectory(directory);
    }

    /// <summary>
    /// Cuts off what the note names, and deletes it; answers what was cut, or null. The order is safe against a crash at any point.
    /// </summary>
    /// <exception cref="IOException">Some of that did not work: the spool must not be opened.</exception>
    public static SpoolDamage? Honour(ISegmentFiles files, string directory)
    {
        var path = Path.Combine(directory, Name);
        if (!IsThere(files, directory, path))
            return null;
        // A note that never became whole was not on the disk when the process ended, and nothing rests on it.
        var cut = Read(files, path) is var (id, stamp, end) ? Cut(files, directory, id, stamp, end) : null;
        files.Delete(path);
        files.SyncDirectory(directory);
        return cut;
    }

    private static bool IsThere(ISegmentFiles files, string directory, string path)
    {
        try
        {
            return files.List(directory).Contains(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpoolUnavailableException(
                $"The spool in {directory} was not opened, and nothing in it was changed: {e.Message}. Mend that, and start again.", e);
        }
    }

    private static (ulong Id, ulong Stamp, long End)? Read(ISegmentFiles files, string path)
    {
        using var file = files.Open(path);
        var octets = new byte[Size];
        if (ReadAll(files, file, octets) < Size
            || !octets.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(octets.AsSpan(CrcAt)) != Crc32C.Of(octets.AsSpan(0, CrcAt)))
            return null;
        return (BinaryPrimitives.ReadUInt64LittleEndian(octets.AsSpan(IdAt)), BinaryPrimitives.ReadUInt64LittleEndian(
            octets.AsSpan(StampAt)), BinaryPrimitives.ReadInt64LittleEndian(octets.AsSpan(EndAt)));
    }

    /// <summary>Null when that segment is not there any more: its file is gone, or has another life.</summary>
    private static SpoolDamage? Cut(ISegmentFiles files, string directory, ulong id, ulong stamp, long end)
    {
        var path = Path.Combine(directory, id.ToString("x16", CultureInfo.InvariantCulture) + SegmentStore.Extension);
        if (!files.List(directory).Contains(path))
            return null;
        using var file = files.Open(path);
        var header = new byte[SegmentHeader.Size];
        var read = ReadAll(files, file, header);
        var isIt = false;
        for (var copy = 0; copy < SegmentHeader.Copies && read == header.Length; copy++)
            isIt |= SegmentHeader.Read(header.AsSpan(copy * SegmentHeader.CopySize, SegmentHeader.CopySize)) is { } sound
                && sound.Id == id
                && sound.Stamp == stamp;
        var length = files.Length(file);
        if (!isIt || length <= end)
            return null;
        files.Truncate(file, end);
        files.Sync(file);
        return new SpoolDamage(
            path, end, length - end, "its sync failed, and nothing in it was acknowledged", Message: null, SavedAs: null);
    }

    private static int ReadAll(ISegmentFiles files, Microsoft.Win32.SafeHandles.SafeFileHandle file, Span<byte> octets)
    {
        var done = 0;
        while (done < octets.Length && files.Read(file, octets[done..], done) is > 0 and var count)
            done += count;
        return done;
    }
}
