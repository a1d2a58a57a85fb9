namespace Postern.Relay.Spool.Segments.Compaction;

/// <summary>
/// Empties segments that are mostly dead by copying what lives in them to the head of the log, a slice with every batch, and
/// deletes them when the copies are durable. The committer's own.
/// </summary>
internal sealed class Compactor(SpoolIndex index, SegmentStore store, TimeProvider clock)
{
    // A segment is worth emptying when less than a quarter of it lives: space at most fourfold, a third of a write for each octet.
    private const int LiveDivisor = 4;

    // Restarts leave short segments; more than so many of them are joined.
    private const int MostShort = 8;
    private const long SliceOctets = 1 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly List<Segment> dead = [];
    private SegmentDrain? drain;
    private long? pausedAt;
    private bool isStopped;
    private bool isDrained;

    public bool HasWork => !isStopped && !IsPaused && (WantsSync || index.HasNewlyDead);

    /// <summary>A segment is about to go: what the batch writes must be durable before.</summary>
    public bool WantsSync => drain is not null || dead.Count > 0;

    private bool IsPaused => pausedAt is { } since && clock.GetElapsedTime(since) < Pause;

    /// <summary>Looks for segments that can go.</summary>
    public void Choose(Segment? head)
    {
        if (isStopped || IsPaused || WantsSync || !index.HasNewlyDead)
            return;
        pausedAt = null;
        if (!TrySettleNewest())
        {
            pausedAt = clock.GetTimestamp();
            return;
        }

        lock (index.Gate)
        {
            index.HasNewlyDead = false;
            // The newest stays until another follows: it alone says which others need not be there any more.
            var candidates = index.Segments.FindAll(segment => segment != head && segment != store.Newest && !segment.MustStay);
            dead.AddRange(candidates.Where(static s => s.Live == 0 && !s.Removals.Exists(static m => m.NeedsRemovalRecord)));
            candidates.RemoveAll(dead.Contains);
            var shortOnes = candidates.FindAll(segment => segment.End * LiveDivisor < store.SegmentSize);
            var worst = candidates.Find(static segment => segment.Live * LiveDivisor < segment.End)
                ?? (shortOnes.Count > MostShort ? shortOnes[0] : null);
            if (worst is not null)
            {
                drain = new SegmentDrain(index, store.Files, worst, worst.Drafts.Where(static d => !d.IsClosed).Distinct());
            }
        }
    }

    /// <summary>The next records to copy.</summary>
    public IEnumerable<LogRequest> NextCopies() => drain?.Next(SliceOctets) ?? [];

    /// <summary>All that was written is durable: deletes what is dead.</summary>
    public void Finish()
    {
        foreach (var segment in dead)
            Retire(segment);
        dead.Clear();
        if (drain is not { IsDone: true } done)
            return;
        // What was removed while this batch was written was not copied, and its removal is in the next one: without it the message could
        // come back with an older state than the one that stands here.
        if (!done.WasRefused && !isDrained)
        {
            isDrained = true;
            return;
        }

        isDrained = false;
        drain = null;
        index.HasNewlyDead = true;              // there may be another one
        if (done.WasRefused)
            pausedAt = clock.GetTimestamp();
        else
            Retire(done.Segment);
    }

    /// <summary>The log takes nothing more, so nothing may be deleted either.</summary>
    public void Stop()
    {
        isStopped = true;
        drain = null;
        dead.Clear();
    }

    /// <summary>A copy that was read from memory only must not make an original dead.</summary>
    private bool TrySettleNewest()
    {
        if (store.Newest is not { DoubtfulFrom: not null })
            return true;
        try
        {
            store.SealNewest();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Retire(Segment segment)
    {
        lock (index.Gate)
        {
            // What could not be read stays where it is, for as long as this process runs.
            if (segment.Live > 0 || segment.Unclaimed > 0)
            {
                segment.MustStay = true;
                return;
            }
        }

        try
        {
            store.Retire(segment);
            lock (index.Gate)
                segment.Drafts.Clear();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            segment.MustStay = true;
        }
    }
}
