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
    private int calls;
    private int attics;

    public bool HasPower { get; private set; } = true;

    public SafeFileHandle Create(string path, long size)
    {
        lock (gate)
        {
            Spend();
            var file = files.Create(path, size);
            unsyncedNames.Add(() => File.Delete(path));
            return file;
        }
    }

    public SafeFileHandle Open(string path) => files.Open(path);

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
            unsyncedWrites.RemoveAll(write => write.File == file);
        }
    }

    public void Truncate(SafeFileHandle file, long length) => files.Truncate(file, length);

    public void Rename(string from, string to)
    {
        lock (gate)
        {
            Spend();
            files.Rename(from, to);
            unsyncedNames.Add(() => files.Rename(to, from));
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
        }
    }

    public void SyncDirectory(string path)
    {
        lock (gate)
        {
            Spend();
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
