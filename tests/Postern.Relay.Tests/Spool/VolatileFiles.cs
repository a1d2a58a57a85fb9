using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Tests.Spool;

/// <summary>
/// Files on a disk whose power can fail: then every sector written since the last sync may or may not be there, and of the
/// changes to the directory since its last sync only a beginning is. A sync may fail too, as Linux does it: see <see cref="FailedSync"/>.
/// </summary>
internal sealed class VolatileFiles(string attic, Random random, int callsUntilPowerFails) : ISegmentFiles, IDisposable
{
    /// <summary>Only <see cref="CutPower"/> ends it.</summary>
    public const int Never = int.MaxValue;

    private const int Sector = 512;

    private readonly SegmentFiles files = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, DiskFile> byPath = [];
    private readonly ConditionalWeakTable<SafeFileHandle, DiskFile> byHandle = [];
    private readonly List<DiskFile> disk = [];
    private readonly List<(string Directory, Action Undo)> unsyncedNames = [];
    private readonly double survival = random.Next(3) / 2.0;
    private readonly TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isTaking;
    private int powerFailsAt = callsUntilPowerFails;
    private int calls;
    private int syncs;
    private int attics;

    /// <summary>Where a faulty server leaves a sync out ("SegmentStore.Begin.Sync"), or "rewrite" for one that does not write again what it read.</summary>
    public string? Omitted { get; init; }

    /// <summary>
    /// The sync of this number fails: the pages stay readable, at least until memory is wanted for something else, and count as
    /// clean: later syncs succeed without them, and what they held is gone when the power is, unless it was written again. Often the power goes soon after.
    /// </summary>
    public int FailedSync { get; init; }

    /// <summary>A disk that fails a sync may take no new file either: then no note of it can be left beside the log.</summary>
    public bool IsNoteRefused { get; init; }

    public bool HasPower { get; private set; } = true;

    /// <summary>Ends when a segment was taken away, and the disk knows it.</summary>
    public Task SegmentTaken => taken.Task;

    public SafeFileHandle Create(string path, long size)
    {
        lock (gate)
        {
            Spend();
            if (IsNoteRefused && Path.GetFileName(path) == "distrust")
                throw new IOException("no file can be made", FaultyFiles.InputOutputError);
            var file = files.Create(path, size);
            Know(path, file);
            NoteName(path, () => File.Delete(path));
            return file;
        }
    }

    public SafeFileHandle Open(string path)
    {
        lock (gate)
        {
            var file = files.Open(path);
            Know(path, file);
            if (random.Next(2) == 0)
                Restore(byPath[path], byPath[path].Lost, static () => true);
            return file;
        }
    }

    public IReadOnlyList<string> List(string directory) => files.List(directory);

    public long Length(SafeFileHandle file) => files.Length(file);

    public int Read(SafeFileHandle file, Span<byte> octets, long offset) => files.Read(file, octets, offset);

    public void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> octets, long offset)
    {
        lock (gate)
        {
            EnsurePower();
            var all = octets.SelectMany(static piece => piece.ToArray()).ToArray();
            Of(file).Touch(offset, all, doesNotRewrite: Omitted == "rewrite");
            files.Write(file, octets, offset);
            Spend();
        }
    }

    public void Sync(SafeFileHandle file)
    {
        lock (gate)
        {
            Spend();
            if (IsOmitted(nameof(Sync)))
                return;
            var mine = Of(file);
            if (++syncs == FailedSync)
            {
                mine.Lose(random, random.Next(3) / 2.0);
                FailSoon(within: 25);
                throw new IOException("the sync failed", FaultyFiles.InputOutputError);
            }

            mine.Dirty.Clear();
        }
    }

    public void Truncate(SafeFileHandle file, long length)
    {
        lock (gate)
        {
            Spend();
            Of(file).Touch(length, new byte[Math.Max(0, RandomAccess.GetLength(file) - length)]);
            files.Truncate(file, length);
        }
    }

    public void Rename(string from, string to)
    {
        lock (gate)
        {
            Spend();
            Move(from, to);
            NoteName(to, () => files.Rename(to, from));
        }
    }

    public void Delete(string path)
    {
        lock (gate)
        {
            Spend();
            var kept = Path.Combine(attic, $"{attics++}");
            if (!File.Exists(path))
                return;
            Move(path, kept);
            NoteName(path, () => files.Rename(kept, path));
        }
    }

    public void SyncDirectory(string path)
    {
        lock (gate)
        {
            Spend();
            if (!IsOmitted(nameof(SyncDirectory)))
                unsyncedNames.RemoveAll(name => name.Directory == path);
            if (isTaking)
                taken.TrySetResult();
        }
    }

    /// <summary>Now, and not at a call.</summary>
    public void CutPower()
    {
        lock (gate)
            LosePower();
    }

    public DiskSpace Space(string directory) => new(1 << 30, 1 << 30);

    public void Dispose() => disk.ForEach(static file => file.Handle.Dispose());

    /// <summary>The method of the spool that asks for a sync is the second on the stack. (A call that is the last thing a method does may have left the stack already: then the test says that nothing was lost.)</summary>
    private bool IsOmitted(string call)
    {
        if (Omitted is null)
            return false;
        var caller = new StackFrame(2, needFileInfo: false).GetMethod()!;
        var isOmitted = Omitted == $"{caller.DeclaringType!.Name}.{caller.Name}.{call}";
        if (isOmitted)
            FailSoon(within: 6);
        return isOmitted;
    }

    private DiskFile Of(SafeFileHandle file) => byHandle.TryGetValue(file, out var known) ? known : throw new InvalidOperationException("not opened here");

    private void Know(string path, SafeFileHandle file)
    {
        if (!byPath.TryGetValue(path, out var known))
        {
            known = byPath[path] = new DiskFile(files.Open(path));
            disk.Add(known);
        }

        byHandle.Add(file, known);
    }

    private void NoteName(string path, Action undo) => unsyncedNames.Add((Path.GetDirectoryName(path)!, undo));

    private void Move(string from, string to)
    {
        isTaking |= Path.GetExtension(from) == SegmentStore.Extension;
        files.Rename(from, to);
        if (byPath.Remove(from, out var known))
            byPath[to] = known;
        else
            byPath.Remove(to);
    }

    private void Spend()
    {
        if (HasPower && ++calls >= powerFailsAt)
            LosePower();
        EnsurePower();
    }

    /// <summary>Every other time, so that what matters for a few calls only is met often.</summary>
    private void FailSoon(int within)
    {
        if (powerFailsAt != Never && random.Next(2) == 0)
            powerFailsAt = Math.Min(powerFailsAt, calls + random.Next(1, within));
    }

    private void EnsurePower()
    {
        if (!HasPower)
            throw new IOException("the power is out", FaultyFiles.InputOutputError);
    }

    private void LosePower()
    {
        HasPower = false;
        foreach (var file in disk)
        {
            Restore(file, file.Dirty, () => random.NextDouble() >= survival);
            Restore(file, file.Lost, () => random.NextDouble() >= survival / 2);
        }

        var kept = random.Next(unsyncedNames.Count + 1);
        for (var i = unsyncedNames.Count - 1; i >= kept; i--)
            unsyncedNames[i].Undo();
    }

    private static void Restore(DiskFile file, Dictionary<long, byte[]> sectors, Func<bool> isGone)
    {
        foreach (var (sector, content) in sectors.OrderBy(static s => s.Key))
        {
            if (isGone())
                RandomAccess.Write(file.Handle, content, sector * Sector);
        }

        sectors.Clear();
    }

    /// <summary>A file, whatever its name; with what the disk holds where that is not what reading gives.</summary>
    private sealed class DiskFile(SafeFileHandle handle)
    {
        public SafeFileHandle Handle => handle;

        /// <summary>Written and not synced.</summary>
        public Dictionary<long, byte[]> Dirty { get; } = [];

        /// <summary>Written, and dropped by a sync that failed.</summary>
        public Dictionary<long, byte[]> Lost { get; } = [];

        public void Touch(long offset, ReadOnlySpan<byte> octets, bool doesNotRewrite = false)
        {
            for (var sector = offset / Sector; sector * Sector < offset + octets.Length; sector++)
            {
                var before = new byte[Sector];
                var length = RandomAccess.Read(handle, before, sector * Sector);
                var from = (int)Math.Max(0, offset - (sector * Sector));
                var part = octets[(int)Math.Max(0, (sector * Sector) - offset)..];
                part = part[..Math.Min(part.Length, Sector - from)];
                if (Lost.TryGetValue(sector, out var lost))
                {
                    if (doesNotRewrite && before.AsSpan(from, part.Length).SequenceEqual(part))
                        continue;
                    Dirty[sector] = lost;
                    Lost.Remove(sector);
                }
                else
                {
                    Dirty.TryAdd(sector, before[..length]);
                }
            }
        }

        /// <summary>Some of it may have reached the disk all the same.</summary>
        public void Lose(Random random, double arrived)
        {
            foreach (var (sector, content) in Dirty)
            {
                if (random.NextDouble() >= arrived)
                    Lost[sector] = content;
            }

            Dirty.Clear();
        }
    }
}
