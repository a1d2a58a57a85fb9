using Postern.Relay.Spool.Segments.Compaction;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The one thread that writes the log. It takes all that has gathered while the disk was busy, writes it, syncs once and answers
/// everybody (group commit); there is no waiting for a batch to fill.
/// </summary>
internal sealed class Committer
{
    // A flush beyond this would keep too much memory pinned; a sync beyond that would keep the others waiting too long.
    private const long MostGathered = 4 << 20;
    private const long MostUnsynced = 8 << 20;

    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(2);

    // With nobody waiting for a sync, a power cut would bring back all that was delivered since the last one.
    private static readonly TimeSpan MostUnsyncedRemoval = TimeSpan.FromSeconds(1);

    private readonly object gate = new();
    private readonly SpoolIndex index;
    private readonly LogWriter writer;
    private readonly SegmentStore store;
    private readonly SpaceGuard guard;
    private readonly Compactor compactor;
    private readonly TimeProvider clock;
    private readonly Action<SpoolEntry> onCommitted;
    private readonly Action onApplied;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<LogRequest> placed = [];
    private readonly List<StoredMessage> owedRemovals = [];
    private readonly ITimer removalTimer;

    private List<LogRequest> incoming = [];
    private List<StoredMessage> removals = [];
    private List<LogRequest> batch = [];
    private List<StoredMessage> removalBatch = [];
    private ulong nextOrder;
    private (Segment Segment, long End)? synced;
    private long begunAt;
    private long endedAt;
    private bool isWaiting;
    private bool isStopping;
    private bool areRemovalsDue;
    private bool hasUnsyncedRemovals;
    private bool isTimerSet;
    private bool mustSyncRemovals;

    public Committer(
        SpoolIndex index,
        SegmentStore store,
        SpaceGuard guard,
        TimeProvider clock,
        ulong nextOrder,
        Action<SpoolEntry> onCommitted,
        Action onApplied)
    {
        this.index = index;
        this.store = store;
        this.guard = guard;
        this.nextOrder = nextOrder;
        this.onCommitted = onCommitted;
        this.onApplied = onApplied;
        this.clock = clock;
        begunAt = endedAt = clock.GetTimestamp();
        writer = new LogWriter(store);
        compactor = new Compactor(index, store, clock);
        removalTimer = clock.CreateTimer(_ => NoteRemovalsDue(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How long the batch under way, or the last one, has taken; nothing once the disk had nothing to do for a while.</summary>
    public TimeSpan BatchTime
    {
        get
        {
            var (begun, ended) = (Interlocked.Read(ref begunAt), Interlocked.Read(ref endedAt));
            if (begun > ended)
                return clock.GetElapsedTime(begun);
            return clock.GetElapsedTime(ended) < Remembered ? clock.GetElapsedTime(begun, ended) : TimeSpan.Zero;
        }
    }

    public void Start() => new Thread(Run) { IsBackground = true, Name = "postern-spool" }.Start();

    /// <summary>Hands over a request; it is answered always, also after the end.</summary>
    public void Submit(LogRequest request)
    {
        lock (gate)
        {
            if (!isStopping)
            {
                incoming.Add(request);
                Wake();
                return;
            }
        }

        request.Failed(new WriteFailure(IsFull: false, "The spool is closed"));
    }

    /// <summary>Notes that the index no longer holds these messages.</summary>
    public void SubmitRemovals(params ReadOnlySpan<StoredMessage> messages)
    {
        lock (gate)
        {
            removals.AddRange(messages);
            Wake();
        }
    }

    /// <summary>Looks whether there is something to compact: after this a full spool may get no other reason to.</summary>
    public void LookAround()
    {
        lock (gate)
            Wake();
    }

    /// <summary>Takes nothing more, finishes what was handed over, syncs, and ends.</summary>
    public Task StopAsync()
    {
        lock (gate)
        {
            isStopping = true;
            Wake();
        }

        return ended.Task;
    }

    private void NoteRemovalsDue()
    {
        lock (gate)
        {
            areRemovalsDue = true;
            Wake();
        }
    }

    /// <summary>Removals that the disk does not have for sure: written without a sync, or refused for lack of room.</summary>
    private bool OwesRemovals => hasUnsyncedRemovals || owedRemovals.Count > 0;

    private void Wake()
    {
        if (isWaiting)
            Monitor.Pulse(gate);
    }

    private void Run()
    {
        do
        {
            // Before the batch is taken: the removals that made a segment dead are then in this batch, and durable before it goes.
            compactor.Choose(writer.Head);
        }
        while (TryTake() && Write());

        if (guard.Status.Condition != SpoolCondition.Failed)
            TrySync(mustSync: true);
        if (guard.Status.Condition != SpoolCondition.Failed)
            TrySeal();
        removalTimer.Dispose();
        ended.SetResult();
    }

    /// <summary>Waits for something to do; false at the end.</summary>
    private bool TryTake()
    {
        lock (gate)
        {
            while (incoming.Count == 0 && removals.Count == 0 && !isStopping && !compactor.HasWork && !(areRemovalsDue && OwesRemovals))
            {
                isWaiting = true;
                Monitor.Wait(gate);
                isWaiting = false;
            }

            (incoming, batch) = (batch, incoming);
            (removals, removalBatch) = (removalBatch, removals);
            mustSyncRemovals = areRemovalsDue;
            isTimerSet &= !areRemovalsDue;
            areRemovalsDue = false;
            return batch.Count > 0 || removalBatch.Count > 0 || !isStopping;
        }
    }

    private bool Write()
    {
        Interlocked.Exchange(ref begunAt, clock.GetTimestamp());
        // Copies first: they hold the newest state there is, and what follows in the log must be able to replace it.
        foreach (var copy in compactor.NextCopies())
            Write(copy);
        foreach (var request in batch)
            Write(request);
        batch.Clear();
        removalBatch.AddRange(owedRemovals);
        owedRemovals.Clear();
        foreach (var removal in RemovalRequest.For(removalBatch, owedRemovals))
        {
            Write(removal);
            hasUnsyncedRemovals = true;
        }

        removalBatch.Clear();
        Settle(
            mustSync: compactor.WantsSync
                || (mustSyncRemovals && hasUnsyncedRemovals)
                || writer.UnsyncedOctets + writer.GatheredOctets > MostUnsynced);
        if (guard.Status.Condition == SpoolCondition.Failed)
        {
            compactor.Stop();
            owedRemovals.Clear();
            hasUnsyncedRemovals = false;
        }
        else
        {
            compactor.Finish();
        }

        if (OwesRemovals && !isTimerSet)
        {
            isTimerSet = true;
            removalTimer.Change(MostUnsyncedRemoval, Timeout.InfiniteTimeSpan);
        }

        Interlocked.Exchange(ref endedAt, clock.GetTimestamp());
        return true;
    }

    private void Write(LogRequest request)
    {
        if (guard.Status is { Condition: SpoolCondition.Failed, Reason: { } reason })
        {
            request.Failed(new WriteFailure(IsFull: false, reason));
            return;
        }

        if (request.Prepare() is not { } record)
        {
            request.Succeeded();
            return;
        }

        if (!writer.HasRoom(record.Stride) && !TryRotate(record.Stride, out var failure))
        {
            request.Failed(failure);
            return;
        }

        var order = request.Order ?? nextOrder++;
        request.Place(writer.Append(record, order), order);
        placed.Add(request);
        if (writer.GatheredOctets >= MostGathered)
            Settle(mustSync: false);
    }

    private bool TryRotate(int stride, out WriteFailure failure)
    {
        failure = null!;
        if (writer.Head is not null)
            Settle(mustSync: true);
        if (guard.Status is { Condition: SpoolCondition.Failed, Reason: { } reason })
        {
            failure = new WriteFailure(IsFull: false, reason);
            return false;
        }

        try
        {
            writer.Rotate(stride);
            synced = (writer.Head!, writer.Head!.End);
            return true;
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
            failure = Judge(e);
            return false;
        }
    }

    /// <summary>Writes what is gathered, syncs when somebody waits for that, and answers.</summary>
    private void Settle(bool mustSync)
    {
        if ((TryFlush() ?? TrySync(mustSync)) is { } failure)
            placed.ForEach(request => request.Failed(failure));
        else
            Answer();
        placed.Clear();
    }

    private WriteFailure? TryFlush()
    {
        try
        {
            writer.Flush();
            return null;
        }
        catch (IOException e) when (Libc.IsOutOfSpace(e) && TryCutUnfinished())
        {
            return Judge(e);
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
            return Distrust(e);
        }
    }

    /// <summary>A sync that failed, for whatever reason, leaves the kernel's pages and the disk apart for good.</summary>
    private WriteFailure? TrySync(bool mustSync)
    {
        try
        {
            if (mustSync || placed.Exists(static request => request.NeedsSync))
            {
                writer.Sync();
                hasUnsyncedRemovals = false;
                if (writer is { Head: { } head, GatheredOctets: 0 })
                    synced = (head, head.End);
            }

            return null;
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
            return Distrust(e);
        }
    }

    /// <summary>Without its footer the last segment is read like one after a crash, which costs nothing but that.</summary>
    private void TrySeal()
    {
        try
        {
            store.SealNewest();
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
        }
    }

    private void Answer()
    {
        lock (index.Gate)
        {
            foreach (var request in placed)
                request.Apply(index);
        }

        foreach (var request in placed)
        {
            if (request.Committed is { } entry)
                Tell(onCommitted, entry);
            request.Succeeded();
        }

        Tell(static onApplied => onApplied(), onApplied);
    }

    private static void Tell<T>(Action<T> listener, T what)
    {
        try
        {
            listener(what);
        }
        catch (Exception)
        {
            // A listener's bug ends at the listener: the message is safe, and a list shows it.
        }
    }

    private bool TryCutUnfinished()
    {
        try
        {
            writer.CutUnfinished();
            return true;
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
            return false;
        }
    }

    private WriteFailure Distrust(Exception e)
    {
        var reason =
            $"Writing the spool failed: {e.Message}. What is in it stays readable; nothing is accepted until a restart.{TryNoteDistrust()}";
        guard.NoteFailed(reason);
        return new WriteFailure(IsFull: false, reason);
    }

    /// <summary>So that what is refused now does not come back with the restart; in words, when that could not be written either.</summary>
    private string? TryNoteDistrust()
    {
        try
        {
            if (writer.Head is { } head && synced is { } known && known.Segment == head)
                DistrustNote.Write(store.Files, head, known.End);
            return null;
        }
        catch (Exception e) when (IsDiskTrouble(e))
        {
            return $" Nor could that be noted ({e.Message}): messages refused now may come back then.";
        }
    }

    private WriteFailure Judge(Exception e)
    {
        if (e is IOException io && Libc.IsOutOfSpace(io))
        {
            store.DropSpares();
            var reason = $"The disk of the spool has no room: {e.Message}";
            guard.NoteFull(reason);
            return new WriteFailure(IsFull: true, reason);
        }

        if (e is not IOException shortage || !Libc.IsOutOfDescriptors(shortage))
            guard.NoteFailed($"The spool cannot make a segment: {e.Message}. Nothing is accepted until a restart.");
        return new WriteFailure(IsFull: false, e.Message);
    }

    private static bool IsDiskTrouble(Exception e) => e is IOException or UnauthorizedAccessException;
}
