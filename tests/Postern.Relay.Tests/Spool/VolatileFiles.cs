using Microsoft.Win32.SafeHandles;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>
/// Files on a disk whose power can fail: then every sector written since the last sync may or may not be there, and of the
/// changes to the directory since its last sync only a beginning is.
/// </summary>
internal sealed class VolatileFiles(string attic, Random random, int callsUntilPowerFails) : ISegmentFiles
{
    private const int Sector = 512;

    private readonly SegmentFiles files = new();
    private readonly Lock gate = new();
    private readonly List<(SafeFileHandle File, long Offset, byte[] Before)> unsyncedWrites = [];
    private readonly List<Action> unsyncedNames = [];
    private readonly double survival = random.Next(3) / 2.0;
    private readonly List<(SafeFileHandle File, long Offset, byte[] Before)> lostWrites = [];
    private string lastNameChange = "nothing";
    private int calls;
    private int syncs;
    private int attics;

    /// <summary>The kinds of sync that a faulty server would leave out: see <see cref="Sync"/> and <see cref="SyncDirectory"/>.</summary>
    public string? Omitted { get; init; }

    /// <summary>
    /// The sync of this number fails: the pages stay readable and count as clean, so later syncs succeed without them, and what
    /// they held may be gone when the power is.
    /// </summary>
    public int FailedSync { get; init; }

    public bool HasPower { get; private set; } = true;

    public SafeFileHandle Create(string path, long size)
    {
        lock (gate)
        {
            Spend();
            var file = files.Create(path, size);
            unsyncedNames.Add(() => File.Delete(path));
            lastNameChange = nameof(Create);
            return file;
        }
    }

    public SafeFileHandle Open(string path) => files.Open(path);

    public IReadOnlyList<string> List(string directory) => files.List(directory);

    public long Length(SafeFileHandle file) => files.Length(file);

    public int Read(SafeFileHandle file, Span<byte> octets, long offset) => files.Read(file, octets, offset);

    public void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> octets, long offset)
    {
        lock (gate)
        {
            var before = new byte[octets.Sum(static piece => piece.Length)];
            RandomAccess.Read(file, before, offset);
            unsyncedWrites.Add((file, offset, before));
            files.Write(file, octets, offset);
            Spend();
        }
    }

    public void Sync(SafeFileHandle file)
    {
        lock (gate)
        {
            Spend();
            var mine = unsyncedWrites.FindAll(write => write.File == file);
            if (Omitted == (mine.Exists(static write => write.Offset == 0) ? "header" : "records"))
                return;
            unsyncedWrites.RemoveAll(write => write.File == file);
            if (++syncs != FailedSync)
                return;
            lostWrites.AddRange(mine);
            throw new IOException("the sync failed", FaultyFiles.InputOutputError);
        }
    }

    public void Truncate(SafeFileHandle file, long length)
    {
        lock (gate)
        {
            Spend();
            var tail = new byte[Math.Max(0, RandomAccess.GetLength(file) - length)];
            RandomAccess.Read(file, tail, length);
            unsyncedWrites.Add((file, length, tail));
            files.Truncate(file, length);
        }
    }

    public void Rename(string from, string to)
    {
        lock (gate)
        {
            Spend();
            files.Rename(from, to);
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
            files.Rename(path, kept);
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
        unsyncedWrites.InsertRange(0, lostWrites);
        for (var i = unsyncedWrites.Count - 1; i >= 0; i--)
        {
            var (file, offset, before) = unsyncedWrites[i];
            for (var at = 0; at < before.Length;)
            {
                var count = Math.Min(before.Length - at, Sector - (int)((offset + at) % Sector));
                if (random.NextDouble() >= survival && !file.IsClosed)
                    RandomAccess.Write(file, before.AsSpan(at, count), offset + at);
                at += count;
            }
        }

        var kept = random.Next(unsyncedNames.Count + 1);
        for (var i = unsyncedNames.Count - 1; i >= kept; i--)
            unsyncedNames[i]();
    }
}
