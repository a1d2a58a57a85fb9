using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments.Recovery;

/// <summary>
/// What reading the log found, and what is to be done about it. Nothing on the disk is touched before all of the log has been
/// read: whatever cannot be read then leaves everything as it was.
/// </summary>
internal sealed class RecoveryFindings(SegmentStore store, Quarantine quarantine)
{
    private readonly List<(SpoolDamage Damage, Segment? ToCopyFrom, bool IsTear)> found = [];
    private readonly List<(string Path, long Length, bool IsTear)> headless = [];
    private readonly List<string> unneeded = [];
    private readonly List<string> spares = [];

    /// <summary>A stretch that was once complete.</summary>
    public void Damaged(Segment segment, long offset, long length, string reason, QueueId? message = null) =>
        found.Add((new SpoolDamage(segment.Path, offset, length, reason, message, SavedAs: null), segment, IsTear: false));

    /// <summary>A write that the power cut short.</summary>
    public void Torn(Segment segment, long offset, long length, string reason, QueueId? message = null) =>
        found.Add((new SpoolDamage(segment.Path, offset, length, reason, message, SavedAs: null), segment, IsTear: true));

    /// <summary>One of two copies is damaged, and the other sound: there is nothing to keep.</summary>
    public void DamagedCopy(string path, long offset, long length, string reason, bool isTear) =>
        found.Add((new SpoolDamage(path, offset, length, reason, Message: null, SavedAs: null), ToCopyFrom: null, isTear));

    /// <summary>A whole file in which no record can be trusted.</summary>
    public void Headless(string path, long length, bool isTear) => headless.Add((path, length, isTear));

    /// <summary>Records that once were there and are not: there is nothing to copy.</summary>
    public void Missing(string path, long offset, long length, string reason) =>
        found.Add((new SpoolDamage(path, offset, length, reason, Message: null, SavedAs: null), ToCopyFrom: null, IsTear: false));

    /// <summary>A file that holds nothing.</summary>
    public void Unneeded(string path) => unneeded.Add(path);

    /// <summary>A file that was kept to be written again.</summary>
    public void Spare(string path) => spares.Add(path);

    public bool HasDamageIn(string path) => found.Exists(f => f.Damage.Segment == path && !f.IsTear);

    /// <summary>Copies what is damaged, cuts the end off, and clears away what holds nothing.</summary>
    /// <exception cref="IOException">Some of that failed; what the log says is as it was.</exception>
    public (ImmutableArray<SpoolDamage> Damage, ImmutableArray<SpoolDamage> Tears) Settle()
    {
        var told = ImmutableArray.CreateBuilder<SpoolDamage>();
        var torn = ImmutableArray.CreateBuilder<SpoolDamage>();
        var newest = store.Newest;
        var keptUntil = 0L;
        foreach (var (damage, segment, isTear) in found)
        {
            var saved = segment is null ? null : quarantine.Save(segment, damage.Offset, damage.Length);
            if (segment is not null)
                segment.MustStay |= saved is null;
            if (segment is not null && segment == newest && saved is null && damage.Offset >= newest.End)
                keptUntil = damage.Offset + damage.Length;
            (isTear ? torn : told).Add(damage with { SavedAs = saved });
        }

        foreach (var (path, length, isTear) in headless)
            (isTear ? torn : told).Add(
                new SpoolDamage(path, Offset: 0, length, "the segment header is damaged", Message: null, quarantine.Take(path)));
        if (newest is not null)
            Close(newest, keptUntil);
        foreach (var path in unneeded)
            store.Files.Delete(path);
        spares.ForEach(store.Bury);
        return (told.ToImmutable(), torn.ToImmutable());
    }

    /// <summary>Makes the newest segment one to which nothing is added: durable, sealed, and without what stands behind it.</summary>
    /// <param name="keptUntil">Where a torn end ends of which no copy could be made: it stays, and the footer goes behind it.</param>
    private void Close(Segment newest, long keptUntil)
    {
        var tears = found.Where(f => f.IsTear && f.Damage.Segment == newest.Path && f.Damage.Offset < newest.End)
            .Select(static f => (f.Damage.Offset, f.Damage.Length))
            .ToList();
        try
        {
            new SegmentRewrite(store.Files).Run(newest);
            if (keptUntil > newest.End && newest.IsChained)
            {
                var end = (keptUntil + RecordHeader.Alignment - 1) / RecordHeader.Alignment * RecordHeader.Alignment;
                tears.Add((newest.End, end - newest.End));
                newest.End = end;
            }

            newest.Gaps = [.. newest.Gaps, .. tears];
            if (newest.IsChained)
                store.WriteFooter(newest);
        }
        catch (IOException e) when (Libc.IsOutOfSpace(e))
        {
            // On some file systems even what is there needs room to be written again. Before anything is deleted it is tried again.
        }

        if (!newest.IsChained)
            newest.IsSealed = true;
        if (keptUntil > newest.End)
            return;                             // of format 1, or not written again yet
        var size = newest.End + (newest is { IsChained: true, IsSealed: true } ? new SegmentFooter(newest.Tally, newest.Gaps).Stride : 0);
        store.Files.Truncate(newest.File, size);
        store.Files.Sync(newest.File);
        newest.Size = size;
    }
}
