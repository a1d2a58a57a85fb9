using System.Globalization;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// The room that the log may take: days and octets in all, a share of a day for what strangers cause, and never what the spool needs to
/// take mail. Used by the writing task alone.
/// </summary>
internal sealed class AuditRoom(AuditLogOptions options, TimeProvider clock)
{
    /// <summary>
    /// Strangers' events of one kind and day may be this part of <see cref="AuditLogOptions.MostOctets"/>; a little of it is kept for the
    /// counts.
    /// </summary>
    public const int StrangersPart = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private AuditLogOptions options = options;
    private readonly Dictionary<AuditKind, (DateOnly Day, long Octets)> strangers = [];
    private long lookedAt = clock.GetTimestamp() - (long)(Interval.TotalSeconds * clock.TimestampFrequency);
    private DateOnly lookedOn;
    private AuditRoomState seen;

    /// <summary>What may be written; looked up once in a few seconds, and when a day begins.</summary>
    /// <param name="told">A sentence where it has changed, else null.</param>
    public AuditRoomState Look(out string? told)
    {
        told = null;
        var today = AuditFileName.DayOf(clock.GetUtcNow());
        if (clock.GetElapsedTime(lookedAt) < Interval && today == lookedOn)
            return seen;
        lookedOn = today;
        lookedAt = clock.GetTimestamp();
        var (state, reason) = Judge();
        if (state != seen)
            told = state == AuditRoomState.Free
                ? "events are written again"
                : $"{(state == AuditRoomState.Full ? "no event is written" : "events of clients without a login are only counted")}: "
                    + $"{reason}";
        return seen = state;
    }

    /// <summary>Other bounds or another directory count from the next look, which comes at once.</summary>
    public void Apply(AuditLogOptions changed)
    {
        options = changed;
        lookedOn = default;
    }

    /// <summary>Counts what a stranger's event takes; false when that kind has had its share of the day.</summary>
    public void Note(AuditKind kind, DateOnly day, int octets)
    {
        var (noted, sum) = strangers.GetValueOrDefault(kind);
        strangers[kind] = (day, (noted == day ? sum : 0) + octets);
    }

    /// <summary>False when strangers have had their share of that day.</summary>
    public bool HasShare(AuditKind kind) =>
        strangers.GetValueOrDefault(kind) is var (day, sum)
        && (day != AuditFileName.DayOf(clock.GetUtcNow()) || sum < options.MostOctets / StrangersPart / 8 * 7);

    private (AuditRoomState State, string? Reason) Judge()
    {
        try
        {
            if (Prune() > options.MostOctets)
                return (AuditRoomState.Full, string.Create(
                    CultureInfo.InvariantCulture, $"today's files are larger than all may be ({options.MostOctets} octets)"));
            if (options.SpoolReserve is null || (options.Space ?? SpaceOf)(options.Directory) is not { } space)
                return (AuditRoomState.Free, null);
            var reserve = options.SpoolReserve(space.Total);
            var reason = string.Create(
                CultureInfo.InvariantCulture, $"{space.Free >> 20} MiB are free, and the spool needs {reserve >> 20} MiB");
            return space.Free < reserve * 3 / 2 ? (AuditRoomState.Full, reason)
                : space.Free < reserve * 2 ? (AuditRoomState.NoStrangers, reason)
                : (AuditRoomState.Free, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be looked at is found out by writing.
            return (AuditRoomState.Free, null);
        }
    }

    /// <summary>
    /// Deletes files that are too old, then the oldest of the largest kind until the rest is small enough; never one of today. The octets
    /// left.
    /// </summary>
    private long Prune()
    {
        var today = AuditFileName.DayOf(clock.GetUtcNow());
        var files = AuditFileName.List(options.Directory).Select(name => (Name: name, Octets: LengthOf(name)))
            .OrderBy(static f => f.Name.Day).ToList();
        foreach (var (name, _) in files.Where(f => f.Name.Day < today.AddDays(-options.KeepDays)))
            Delete(name);
        files.RemoveAll(f => f.Name.Day < today.AddDays(-options.KeepDays));
        var sum = files.Sum(static f => f.Octets);
        while (sum > options.MostOctets)
        {
            var old = files.Where(f => f.Name.Day < today).GroupBy(static f => f.Name.Kind)
                .MaxBy(static kind => kind.Sum(static f => f.Octets));
            if (old is null)
                break;
            var oldest = old.First();
            Delete(oldest.Name);
            files.Remove(oldest);
            sum -= oldest.Octets;
        }

        return sum;
    }

    /// <summary>With its index.</summary>
    private long LengthOf(AuditFileName name)
    {
        var path = Path.Join(options.Directory, name.ToString());
        return LengthOf(path) + LengthOf(AuditIndex.PathOf(path));
    }

    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private void Delete(AuditFileName name)
    {
        try
        {
            var path = Path.Join(options.Directory, name.ToString());
            File.Delete(path);
            File.Delete(AuditIndex.PathOf(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays until the next look.
        }
    }

    private static (long Total, long Free)? SpaceOf(string directory) =>
        Directory.Exists(directory) && new DriveInfo(directory) is var drive ? (drive.TotalSize, drive.AvailableFreeSpace) : null;
}

/// <summary>What there is room for.</summary>
internal enum AuditRoomState
{
    Free,

    /// <summary>What clients without a login cause is only counted.</summary>
    NoStrangers,

    /// <summary>Nothing is written; it is counted as lost.</summary>
    Full,
}
