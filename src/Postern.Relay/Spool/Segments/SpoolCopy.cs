using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// Copies a spool, also while a server writes to it (docs/backup-and-upgrade.md). The copy holds every message that was in the spool from
/// the first to the last moment of copying; one that arrives or goes away meanwhile may be in it or not.
/// </summary>
public static class SpoolCopy
{
    private const int BlockSize = 1 << 20;
    private const int PageSize = 4096;
    private const int MostPasses = 200;

    /// <summary>
    /// Copies the segments of the spool in <paramref name="from"/> into <paramref name="to"/>, an empty directory, and syncs them.
    /// </summary>
    /// <returns>How many segments the copy has.</returns>
    /// <exception cref="IOException">Something cannot be read or written, or the spool changes faster than it can be copied.</exception>
    public static int Run(string from, string to, CancellationToken ct) => Run(from, to, afterBlock: null, ct);

    /// <param name="afterBlock">Called between two reads, for tests of what happens meanwhile.</param>
    internal static int Run(string from, string to, Action? afterBlock, CancellationToken ct)
    {
        // Within a pass that begins and ends with the same files none was retired: what lives stands in them, and so does every removal
        // that they need. Only the newest of them can have grown since it was copied.
        var copied = new HashSet<string>(StringComparer.Ordinal);
        for (var pass = 0; pass < MostPasses; pass++)
        {
            var names = Names(from);
            // Also those that were the newest when they were copied, and may have been copied in the midst of a write.
            foreach (var gone in Names(to).Except(names))
            {
                File.Delete(Path.Combine(to, gone));
                copied.Remove(gone);
            }

            var isWhole = true;
            var isBegun = names.Count > 0 && IsBegun(Path.Combine(from, names[^1]));
            foreach (var name in names)
            {
                ct.ThrowIfCancellationRequested();
                if (copied.Contains(name))
                    continue;
                var isNewest = name == names[^1] || (!isBegun && names.Count > 1 && name == names[^2]);
                var isCopied = Copy(Path.Combine(from, name), Path.Combine(to, name), isNewest ? PageSize : BlockSize, afterBlock);
                isWhole &= isCopied;
                if (isCopied && !isNewest)
                    copied.Add(name);
            }

            // Without it, what was refused after a failed sync would be taken for accepted in the copy.
            var note = Note(from);
            // Before the names are compared: when the next segment is begun, the notes of those retired before it go.
            var retired = Retired(from);
            if (isWhole && names.SequenceEqual(Names(from)) && (names.Count == 0 || isBegun == IsBegun(Path.Combine(from, names[^1]))))
            {
                if (!Note(from).AsSpan().SequenceEqual(note))
                    continue;
                if (note.Length > 0)
                    Keep(Path.Combine(to, DistrustNote.Name), note);
                foreach (var name in retired)
                    Libc.OpenFile(Path.Combine(to, name), Libc.ReadWrite | Libc.Create).Dispose();
                using var directory = Libc.OpenFile(to, Libc.Directory);
                Libc.Sync(directory, to);
                return names.Count;
            }
        }

        throw new IOException($"the spool {from} changes faster than it can be copied to {to}");
    }

    /// <summary>False while the newest segment is only a name: the one before it is sealed between that and the header.</summary>
    private static bool IsBegun(string path)
    {
        try
        {
            using var file = Libc.OpenFile(path, flags: 0);
            return Header(file).AsSpan().ContainsAnyExcept((byte)0);
        }
        catch (IOException) when (!File.Exists(path))
        {
            return false;
        }
    }

    /// <summary>Empty where there is none.</summary>
    private static byte[] Note(string directory)
    {
        try
        {
            using var file = Libc.OpenFile(Path.Combine(directory, DistrustNote.Name), flags: 0);
            var octets = new byte[RandomAccess.GetLength(file)];
            Read(file, octets, at: 0);
            return octets;
        }
        catch (IOException) when (!File.Exists(Path.Combine(directory, DistrustNote.Name)))
        {
            return [];
        }
    }

    private static void Keep(string path, byte[] octets)
    {
        using var file = Libc.OpenFile(path, Libc.ReadWrite | Libc.Create | Libc.Exclusive);
        RandomAccess.Write(file, octets, fileOffset: 0);
        Libc.SyncData(file);
    }

    /// <summary>The empty files that say of a segment that it is not missing.</summary>
    private static List<string> Retired(string directory) =>
    [
        .. Directory.EnumerateFiles(directory)
            .Where(static path => Path.GetExtension(path) is SegmentStore.RetiredExtension or SegmentStore.SpareExtension)
            .Select(static path => Path.GetFileNameWithoutExtension(path) + SegmentStore.RetiredExtension)
            .Distinct(StringComparer.Ordinal),
    ];

    private static List<string> Names(string directory) =>
        [.. Directory.EnumerateFiles(directory, "*" + SegmentStore.Extension).Select(static path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];

    /// <summary>
    /// False when the file went away, or another life of it began; it is gone from the directory then, and so is the copy.
    /// </summary>
    private static bool Copy(string from, string to, int blockSize, Action? afterBlock)
    {
        File.Delete(to);
        try
        {
            using var source = Libc.OpenFile(from, flags: 0);
            using var target = Libc.OpenFile(to, Libc.ReadWrite | Libc.Create | Libc.Exclusive);
            var life = Header(source);
            CopyBackwards(source, target, blockSize, afterBlock);
            Libc.SyncData(target);
            if (life.AsSpan().SequenceEqual(Header(source)))
                return true;
        }
        catch (IOException) when (!File.Exists(from))
        {
            // It was retired.
        }

        File.Delete(to);
        return false;
    }

    /// <summary>
    /// A log that is written from the front is read from the back: what stands before a block that was read has been there at least as
    /// long, so the copy ends somewhere in the log and has no holes. Zeros are left out and take no room.
    /// </summary>
    private static void CopyBackwards(SafeFileHandle source, SafeFileHandle target, int blockSize, Action? afterBlock)
    {
        var length = RandomAccess.GetLength(source);
        RandomAccess.SetLength(target, length);
        var (block, again) = (new byte[blockSize], new byte[blockSize]);
        for (var at = (length - 1) / blockSize * blockSize; at >= 0; at -= blockSize)
        {
            var octets = block.AsSpan(0, (int)Math.Min(blockSize, length - at));
            Read(source, octets, at);
            while (blockSize == PageSize && !IsAsRead(source, octets, again, at))
            {
                // It was written in this moment.
            }

            if (octets.ContainsAnyExcept((byte)0))
                RandomAccess.Write(target, octets, at);
            afterBlock?.Invoke();
        }
    }

    private static bool IsAsRead(SafeFileHandle source, Span<byte> octets, byte[] again, long at)
    {
        var second = again.AsSpan(0, octets.Length);
        Read(source, second, at);
        if (second.SequenceEqual(octets))
            return true;
        second.CopyTo(octets);
        return false;
    }

    private static byte[] Header(SafeFileHandle file)
    {
        var octets = new byte[SegmentHeader.Size];
        Read(file, octets, at: 0);
        return octets;
    }

    private static void Read(SafeFileHandle file, Span<byte> octets, long at)
    {
        while (!octets.IsEmpty)
        {
            var count = RandomAccess.Read(file, octets, at);
            if (count == 0)
            {
                // It is shorter than it was: cut at its end when the server started.
                octets.Clear();
                return;
            }

            octets = octets[count..];
            at += count;
        }
    }
}
