using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>
/// Files on a disk whose power can fail: then every sector written since the last sync may or may not be there, and of the
/// changes to the directory since its last sync only a beginning is. A sync may fail too, as Linux does it: see <see cref="FailedSync"/>.
/// </summary>
internal sealed class VolatileFiles(string attic, Random random, int callsUntilPowerFails) : ISegmentFiles, IDisposable
{
    private const int Sector = 512;

    private readonly SegmentFiles files = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, DiskFile> byPath = [];
    private readonly ConditionalWeakTable<SafeFileHandle, DiskFile> byHandle = [];
    private readonly List<DiskFile> disk = [];
    private readonly List<Action> unsyncedNames = [];
    private readonly double survival = random.Next(3) / 2.0;
    private string lastNameChange = "nothing";
    private int calls;
    private int syncs;
    private int attics;

    /// <summary>The kind of sync that a faulty server would leave out, or "rewrite" for one that does not write again what it read.</summary>
    public string? Omitted { get; init; }

    /// <summary>
    /// The sync of this number fails: the pages stay readable, at least until memory is wanted for something else, and count as
    /// clean: later syncs succeed without them, and what they held is gone when the power is, unless it was written again.
    /// </summary>
    public int FailedSync { get; init; }

    /// <summary>A disk that fails a sync may take no new file either: then no note of it can be left beside the log.</summary>
    public bool IsNoteRefused { get; init; }

    public bool HasPower { get; private set; } = true;

    public SafeFileHandle Create(string path, long size)
    {
        lock (gate)
        {
            Spend();
            if (IsNoteRefused && Path.GetFileName(path) == "distrust")
                throw new IOException("no file can be made", FaultyFiles.InputOutputError);
            var file = files.Create(path, size);
            Know(path, file);
            unsyncedNames.Add(() => File.Delete(path));
            lastNameChange = nameof(Create);
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
            var all = octets.SelectMany(static piece => piece.ToArray()).ToArray();
            Of(file).Touch(offset, all, doesNotRewrite: Omitted == "rewrite");
            Of(file).LastKind = offset == 0 ? "header" : all[4] == (byte)RecordKind.Sealed ? "footer" : "records";
            files.Write(file, octets, offset);
            Spend();
        }
    }

    public void Sync(SafeFileHandle file)
    {
        lock (gate)
        {
            Spend();
            var mine = Of(file);
            if (Omitted == mine.LastKind)
                return;
            if (++syncs == FailedSync)
            {
                mine.Lose();
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
            unsyncedNames.Add(() => files.Rename(to, from));
            lastNameChange = nameof(Rename);
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
            unsyncedNames.Add(() => files.Rename(kept, path));
            lastNameChange = nameof(Delete);
        }
    }

    public void SyncDirectory(string path)
    {
        lock (gate)
        {
            Spend();
            if (Omitted == lastNameChange)
                return;
            unsyncedNames.Clear();
        }
    }

    public DiskSpace Space(string directory) => new(1 << 30, 1 << 30);

    public void Dispose() => disk.ForEach(static file => file.Handle.Dispose());

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

    private void Move(string from, string to)
    {
        files.Rename(from, to);
        if (byPath.Remove(from, out var known))
            byPath[to] = known;
        else
            byPath.Remove(to);
    }

    private void Spend()
    {
        if (HasPower && ++calls >= callsUntilPowerFails)
            LosePower();
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
            unsyncedNames[i]();
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

        public string LastKind { get; set; } = string.Empty;

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

        public void Lose()
        {
            foreach (var (sector, content) in Dirty)
                Lost[sector] = content;
            Dirty.Clear();
        }
    }
}
