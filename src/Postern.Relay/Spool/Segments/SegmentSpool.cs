using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;
using Postern.Relay.Spool.Resting;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Spool.Segments.Recovery;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The spool on the local disk: an append-only log of segments, written by one thread with group commit, indexed in memory
/// (docs/spool-format.md). One process at a time.
/// </summary>
public sealed class SegmentSpool : ISpool
{
    private const int Piece = 1000;

    // Sessions and the committer want the index too.
    private const int PieceOfRemovals = 128;

    private readonly SpoolDirectory directory;
    private readonly SegmentStore store;
    private readonly SpaceGuard guard;
    private readonly SpoolIndex index;
    private readonly TimeProvider clock;
    private readonly Dictionary<QueueId, Task> changing = [];
    private readonly Committer committer;
    private int isDisposed;

    private SegmentSpool(SpoolDirectory directory, SegmentSpoolOptions options, TimeProvider clock, ISegmentFiles files)
    {
        this.directory = directory;
        this.clock = clock;
        index = new SpoolIndex(clock);
        guard = new SpaceGuard(files, directory.Path, options.Reserve, clock);
        store = new SegmentStore(files, directory.Path, options.SegmentSize, guard, index);
        var cut = DistrustNote.Honour(files, directory.Path);
        var replay = new LogReplay(directory, store, index, clock);
        replay.Run();
        Recovery = cut is null ? replay.Report : replay.Report with { TornTails = replay.Report.TornTails.Insert(0, cut) };
        committer = new Committer(index, store, guard, clock, replay.NextOrder, entry => Committed?.Invoke(entry), TellIfEarlier);
    }

    public event Action<SpoolEntry>? Committed;

    public event Action? DueEarlier;

    public SpoolRecovery Recovery { get; }

    public SpoolStatus Status => guard.Status;

    public TimeSpan CommitTime => committer.BatchTime;

    public int Count
    {
        get
        {
            lock (index.Gate)
                return index.Count;
        }
    }

    public SpoolTally Tally
    {
        get
        {
            lock (index.Gate)
                return index.Due.Tally;
        }
    }

    public SpoolSpace? Space
    {
        get
        {
            lock (index.Gate)
            {
                var octets = 0L;
                foreach (var segment in index.Segments)
                    octets += segment.Size;
                return new SpoolSpace(octets, guard.LastSeen?.Free);
            }
        }
    }

    internal ISegmentFiles Files => store.Files;

    internal WriteFailure? Refusal => guard.Refusal;

    /// <summary>Reads the whole log, checking every record, and takes the directory for this process.</summary>
    /// <exception cref="SpoolUnavailableException">The directory cannot be used, or belongs to somebody else.</exception>
    public static SegmentSpool Open(SegmentSpoolOptions options, TimeProvider clock) => Open(options, clock, new SegmentFiles());

    internal static SegmentSpool Open(SegmentSpoolOptions options, TimeProvider clock, ISegmentFiles files)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.SegmentSize);
        var home = SpoolDirectory.Open(options.Directory, files);
        try
        {
            var spool = new SegmentSpool(home, options, clock, files);
            spool.committer.Start();
            return spool;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            home.Dispose();
            throw new SpoolUnavailableException($"The spool in {home.Path} was read, and cannot be put in order: {e.Message}", e);
        }
        catch (SpoolUnavailableException)
        {
            home.Dispose();
            throw;
        }
    }

    public ValueTask<IReadOnlyList<SpoolEntry>> ListAsync(QueueFilter filter, QueueId? after, int most, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var page = new List<SpoolEntry>();
        StoredMessage? next;
        lock (index.Gate)
            next = index.Behind(after);
        // A piece at a time: a filter that fits nothing must not keep the committer waiting for as long as a million messages take to look
        // at.
        var piece = new List<(QueueId Id, RestingEntry.Copy Kept)>(Math.Min(Piece, most));
        while (next is not null && page.Count < most)
        {
            ct.ThrowIfCancellationRequested();
            piece.Clear();
            lock (index.Gate)
                next = index.Take(next, Math.Min(Piece, filter.IsEverything ? most - page.Count : Piece), piece);
            foreach (var (id, kept) in piece)
            {
                if (page.Count < most && kept.ToEntry(id) is var entry && filter.Matches(entry))
                    page.Add(entry);
            }
        }

        return new(page);
    }

    public SpoolAges Ages()
    {
        OldestOfEach oldest;
        StoredMessage? next;
        lock (index.Gate)
        {
            oldest = new OldestOfEach(index.Due.Tally, index.Count, clock.GetUtcNow());
            next = index.Behind(after: null);
        }

        // In pieces: neither the committer nor a session waits for the whole walk.
        while (next is not null)
        {
            lock (index.Gate)
                next = index.Show(next, Piece, oldest);
        }

        return oldest.Ages;
    }

    public async ValueTask<int> CountAsync(QueueFilter filter, CancellationToken ct)
    {
        if (filter.IsEverything)
            return Count;
        var count = 0;
        QueueId? after = null;
        while (await ListAsync(QueueFilter.Everything, after, Piece, ct) is { Count: > 0 } page)
        {
            count += page.Count(filter.Matches);
            after = page[^1].Envelope.Id;
        }

        return count;
    }

    public ValueTask<SpoolEntry?> FindAsync(QueueId id, CancellationToken ct)
    {
        lock (index.Gate)
            return new(index.TryFind(id, out var message) ? message.Entry : null);
    }

    public ISpoolDraft CreateDraft() => new SegmentDraft(this);

    public ValueTask<ISpoolClaims> OpenClaimsAsync(CancellationToken ct)
    {
        lock (index.Gate)
            return new(new SegmentClaims(this, index, index.Due.Join(SpoolRules.Lease)));
    }

    public async ValueTask<bool> ChangeAsync(QueueId id, Func<SpoolEntry, DeliveryState?> change, CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            Task? before;
            StateRequest? request = null;
            lock (index.Gate)
            {
                if (!index.TryFind(id, out var message))
                    return false;
                // What is made of the newest state must see a change that is still on its way to the disk.
                if (!IsChanging(id, out before))
                {
                    var entry = message.Entry!;
                    if (change(entry) is not { } state)
                        return false;
                    SpoolRules.Check(entry.Envelope, state);
                    index.Due.Outdate(message);
                    Submit(request = new StateRequest(index, message, state), id);
                }
            }

            if (request is null)
            {
                await before!.WaitAsync(ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            return await DoneAsync(request, id);
        }
    }

    public ValueTask<int> RescheduleAsync(IReadOnlyCollection<QueueId> ids, DateTimeOffset due, CancellationToken ct)
    {
        var count = 0;
        lock (index.Gate)
        {
            foreach (var id in ids)
                count += index.TryFind(id, out var message) && index.Due.Reschedule(message, due) ? 1 : 0;
        }

        TellIfEarlier();
        return new(count);
    }

    public ValueTask<IReadOnlyList<SpoolEntry>> ListEndedAsync(CancellationToken ct)
    {
        var entries = new List<SpoolEntry>();
        lock (index.Gate)
        {
            foreach (var message in index.Ended)
                entries.Add(LoggedEntry.Of(store.Files, index, message));
        }

        return new(entries);
    }

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct)
    {
        lock (index.Gate)
            return new(Forget(id));
    }

    public ValueTask<int> RemoveAllAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct)
    {
        var count = 0;
        var removed = new List<StoredMessage>(Math.Min(ids.Count, PieceOfRemovals));
        foreach (var piece in ids.Chunk(PieceOfRemovals))
        {
            removed.Clear();
            lock (index.Gate)
            {
                foreach (var id in piece)
                {
                    if (index.Remove(id) is { } message)
                        removed.Add(message);
                }

                committer.SubmitRemovals(CollectionsMarshal.AsSpan(removed));
            }

            count += removed.Count;
        }

        return new(count);
    }

    public ValueTask<ISpoolContent?> OpenContentAsync(QueueId id, CancellationToken ct)
    {
        lock (index.Gate)
        {
            return new(index.TryFind(id, out var message) ? Open(message) : null);
        }
    }

    public ValueTask<ISpoolContent?> OpenEndedAsync(QueueId id, CancellationToken ct)
    {
        lock (index.Gate)
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref isDisposed) != 0, this);
            return new(index.TryFindEnded(id, out var message) ? Open(message) : null);
        }
    }

    /// <summary>Finishes and syncs what was handed over. Content that is open stays readable.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0)
            return;
        await committer.StopAsync();
        lock (index.Gate)
        {
            foreach (var segment in index.Segments)
                segment.Close();
        }

        store.CloseSpares();
        directory.Dispose();
    }

    internal void Submit(LogRequest request) => committer.Submit(request);

    /// <summary>With the index's gate held: whoever sees the segment dead knows that the removal is on its way.</summary>
    internal bool Forget(QueueId id)
    {
        if (index.Remove(id) is not { } message)
            return false;
        committer.SubmitRemovals(message);
        return true;
    }

    /// <summary>With the index's gate held, so that what is made of the newest state later stands behind it in the log.</summary>
    internal void Submit(StateRequest request, QueueId id)
    {
        changing[id] = request.Done;
        committer.Submit(request);
    }

    /// <summary>The same of a change that the record of another message carries.</summary>
    internal void NoteChange(QueueId id, Task done) => changing[id] = done;

    /// <summary>With the index's gate held: whether a change is on its way to the disk, and not in the entry yet.</summary>
    internal bool IsChanging(QueueId id, [NotNullWhen(true)] out Task? change) =>
        changing.TryGetValue(id, out change) && !change.IsCompleted;

    /// <summary>False when the message was removed first.</summary>
    internal async ValueTask<bool> DoneAsync(StateRequest request, QueueId id)
    {
        try
        {
            return await request.Done;
        }
        finally
        {
            EndChange(id, request.Done);
        }
    }

    internal void EndChange(QueueId id, Task done)
    {
        lock (index.Gate)
        {
            if (changing.TryGetValue(id, out var last) && last == done)
                changing.Remove(id);
        }
    }

    /// <summary>Without the index's gate.</summary>
    internal void TellIfEarlier()
    {
        bool isEarlier;
        lock (index.Gate)
            isEarlier = index.Due.TakeEarlier();
        if (isEarlier)
            DueEarlier?.Invoke();
    }

    internal RecordLocation[] PlacesOf(DraftChunks? chunks)
    {
        if (chunks is null)
            return [];
        lock (index.Gate)
            return [.. chunks.Places];
    }

    /// <summary>Where the chunks stand from now on.</summary>
    internal RecordLocation[] Close(DraftChunks chunks)
    {
        lock (index.Gate)
        {
            chunks.IsClosed = true;
            return [.. chunks.Places];
        }
    }

    internal void Unclaim(DraftChunks chunks)
    {
        lock (index.Gate)
        {
            chunks.IsClosed = true;
            index.Unclaim(chunks.Places);
            chunks.Places.Clear();
        }

        committer.LookAround();
    }

    internal void RefuseDuplicate(QueueId id)
    {
        lock (index.Gate)
        {
            if (index.TryFind(id, out _))
                throw new InvalidOperationException($"Message {id} is in the spool already");
        }
    }

    /// <summary>With the index's gate held.</summary>
    private SegmentContent Open(StoredMessage message)
    {
        message.Location.Record.Segment.Readers++;
        foreach (var chunk in message.Location.Chunks)
            chunk.Segment.Readers++;
        return new SegmentContent(this, message.Location);
    }

    /// <summary>One reader less of each segment of the message.</summary>
    internal void Release(MessageLocation location)
    {
        lock (index.Gate)
        {
            location.Record.Segment.EndRead();
            foreach (var chunk in location.Chunks)
                chunk.Segment.EndRead();
        }
    }
}
