namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>
/// Keeps the status of the spool: looks at the free space at most once a second, and takes note of what writing met. A reserve
/// never does away with ENOSPC, it only makes it rare; so both lead here.
/// </summary>
internal sealed class SpaceGuard(ISegmentFiles files, string directory, long? reserve, TimeProvider clock)
{
    private const long MostReserve = 512L << 20;
    private const int ReserveDivisor = 20;

    // For the segments into which compaction copies, and the notes about trouble.
    private const long FewestFiles = 8;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private volatile SpoolStatus status = SpoolStatus.Writable;
    private long nextLook = long.MinValue;
    private bool wasRefused;
    private DiskSpace? lastSeen;

    /// <summary>As of a second ago at most.</summary>
    public SpoolStatus Status
    {
        get
        {
            if (clock.GetTimestamp() >= Volatile.Read(ref nextLook))
                Look();
            return status;
        }
    }

    /// <summary>What the last look found; null before it.</summary>
    public DiskSpace? LastSeen
    {
        get
        {
            lock (gate)
                return lastSeen;
        }
    }

    /// <summary>Null while messages are taken.</summary>
    public WriteFailure? Refusal => Status is { Condition: not SpoolCondition.Writable } s
        ? new WriteFailure(s.Condition == SpoolCondition.Full, s.Reason!)
        : null;

    public long Reserve(DiskSpace space) => reserve ?? UsualReserve(space.Total);

    /// <summary>What is kept free where nothing else was said, of a file system of so many octets.</summary>
    public static long UsualReserve(long total) => Math.Min(total / ReserveDivisor, MostReserve);

    /// <summary>Writing was refused for lack of space.</summary>
    public void NoteFull(string reason)
    {
        lock (gate)
        {
            wasRefused = true;
            Schedule();
            if (status.Condition != SpoolCondition.Failed)
                status = new SpoolStatus(SpoolCondition.Full, reason);
        }
    }

    /// <summary>Writing or syncing failed: final.</summary>
    public void NoteFailed(string reason)
    {
        lock (gate)
        {
            if (status.Condition != SpoolCondition.Failed)
                status = new SpoolStatus(SpoolCondition.Failed, reason);
        }
    }

    private void Look()
    {
        lock (gate)
        {
            if (clock.GetTimestamp() < nextLook || status.Condition == SpoolCondition.Failed)
                return;
            Schedule();
            try
            {
                Judge(files.Space(directory));
            }
            catch (IOException)
            {
                // Free space that cannot be read says nothing; writing will.
            }
        }
    }

    private void Judge(DiskSpace space)
    {
        lastSeen = space;
        var wanted = Reserve(space);
        if (wasRefused)
            wanted = Math.Max(wanted, SegmentStore.SmallestSegment);
        if (space.FreeFiles < FewestFiles)
        {
            status = new SpoolStatus(
                SpoolCondition.Full,
                $"The file system of {directory} has room for {space.FreeFiles} more files (inodes), "
                    + $"and {FewestFiles} are kept in reserve. Delete some files; the spool goes on by itself.");
        }
        else if (space.Free < wanted)
        {
            status = new SpoolStatus(
                SpoolCondition.Full,
                $"{space.Free >> 10} KiB are free on the disk of {directory}, and {wanted >> 10} KiB are kept in reserve. "
                    + $"Free some space; the spool goes on by itself.");
        }
        else
        {
            wasRefused = false;
            status = SpoolStatus.Writable;
        }
    }

    private void Schedule() =>
        Volatile.Write(ref nextLook, clock.GetTimestamp() + (long)(Interval.TotalSeconds * clock.TimestampFrequency));
}
