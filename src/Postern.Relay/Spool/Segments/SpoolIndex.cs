using System.Diagnostics.CodeAnalysis;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;
using Postern.Relay.Spool.Resting;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// The messages that are in the log, in order of arrival, and how much of each segment they keep alive. Every member wants
/// <see cref="Gate"/> held.
/// </summary>
internal sealed class SpoolIndex(TimeProvider clock)
{
    private readonly MessageTable messages = new();
    private readonly Dictionary<QueueId, StoredMessage> ended = [];

    /// <summary>Null during replay, which meets messages in another order: compaction has mixed the log.</summary>
    private ArrivalOrder? arrivals;
    private volatile bool hasNewlyDead = true;

    public Lock Gate { get; } = new();

    /// <summary>What is due, and who works on it.</summary>
    public DueIndex Due { get; } = new(clock);

    public List<Segment> Segments { get; } = [];

    /// <summary>Set when a segment lost live octets: there may be something to compact. May be read without the gate.</summary>
    public bool HasNewlyDead
    {
        get => hasNewlyDead;
        set => hasNewlyDead = value;
    }

    public int Count => messages.Count;

    /// <summary>Those whose delivery is over, and that are kept until they are removed.</summary>
    public IEnumerable<StoredMessage> Ended => ended.Values;

    public bool TryFind(QueueId id, [NotNullWhen(true)] out StoredMessage? message) => messages.TryFind(id, out message);

    /// <summary>The same of those whose delivery is over.</summary>
    public bool TryFindEnded(QueueId id, [NotNullWhen(true)] out StoredMessage? message) => ended.TryGetValue(id, out message);

    /// <summary>
    /// The first message behind <paramref name="after"/>, from where <see cref="ISpool.ListAsync"/> says; null at the end.
    /// </summary>
    public StoredMessage? Behind(QueueId? after)
    {
        if (after is not { } id)
            return arrivals!.From(0).FirstOrDefault();
        return messages.TryFind(id, out var before)
            ? arrivals!.From(before.Order + 1).FirstOrDefault()
            : arrivals!.Since(id.CreatedAt);
    }

    /// <summary>
    /// Adds at most <paramref name="most"/> entries from <paramref name="from"/> on, which may have been removed meanwhile; answers the
    /// next one, null at the end.
    /// </summary>
    public StoredMessage? Take(StoredMessage from, int most, List<(QueueId Id, RestingEntry.Copy Kept)> page)
    {
        foreach (var message in arrivals!.From(from.Order))
        {
            if (most-- == 0)
                return message;
            page.Add((message.Id, message.Copy));
        }

        return null;
    }

    /// <summary>
    /// Shows at most <paramref name="most"/> messages from <paramref name="from"/> on, which may have been removed meanwhile; answers the
    /// next one, null at the end or when there is no need.
    /// </summary>
    public StoredMessage? Show(StoredMessage from, int most, OldestOfEach oldest)
    {
        foreach (var message in arrivals!.From(from.Order))
        {
            if (oldest.IsDone)
                return null;
            if (most-- == 0)
                return message;
            oldest.Look(message, DueIndex.IsClaimed(message));
        }

        return null;
    }

    public void Add(StoredMessage message)
    {
        if (messages.TryFind(message.Id, out var older))
        {
            // Only replay meets a message twice: the copy that compaction made, before it could delete the original.
            message.FormerHomes = older.FormerHomes ?? [];
            message.FormerHomes.Add(older.Location.Record.Segment);
            Remove(message.Id);
        }

        messages.Add(message);
        arrivals?.Append(message);
        Occupy(message, message.Location);
        Due.Add(message);
    }

    public StoredMessage? Remove(QueueId id)
    {
        if (messages.Remove(id, out var message))
        {
            arrivals?.Remove(message);
            Due.Remove(message);
        }
        else if (!ended.Remove(id, out message))
        {
            return null;
        }

        Vacate(message.Location);
        ReleaseState(message);
        message.IsRemoved = true;
        message.Entry = null;
        return message;
    }

    /// <summary>Its delivery is over: its octets stay alive, and nobody is shown it but <see cref="Ended"/>.</summary>
    public void End(StoredMessage message, DeliveryState last)
    {
        messages.Remove(message.Id, out _);
        arrivals?.Remove(message);
        Due.Remove(message);
        message.HasEnded = true;
        message.Entry = message.Entry! with { State = last };
        ended.Add(message.Id, message);
    }

    public void SetState(StoredMessage message, DeliveryState state, RecordLocation record)
    {
        ReleaseState(message);
        if (!message.HasEnded)
            Due.Change(message, state);
        else if (message.Entry is { } entry)
            message.Entry = entry with { State = state };

        message.StateRecord = record;
        record.Segment.Live += record.Stride;
        record.Segment.Residents.Add(message);
    }

    /// <summary>The message, with its newest state, has been copied to <paramref name="location"/>.</summary>
    public void Move(StoredMessage message, MessageLocation location)
    {
        var home = message.Location.Record.Segment;
        Vacate(message.Location);
        ReleaseState(message);
        Remember(message, home);
        message.Location = location;
        Occupy(message, location);
    }

    /// <summary>A copy of a message that has been removed meanwhile: dead, but its removal must outlive it.</summary>
    public static void Remember(StoredMessage message, Segment home)
    {
        message.FormerHomes ??= [];
        message.FormerHomes.RemoveAll(static former => former.IsGone);
        message.FormerHomes.Add(home);
    }

    /// <summary>Counts a chunk as alive until its draft is committed or given up.</summary>
    public static void Claim(RecordLocation chunk)
    {
        chunk.Segment.Live += chunk.Stride;
        chunk.Segment.Unclaimed++;
    }

    /// <summary>The same, of a message that is still being written: it moves when the segment is to go.</summary>
    public static void Claim(RecordLocation chunk, DraftChunks draft)
    {
        Claim(chunk);
        var drafts = chunk.Segment.Drafts;
        if (drafts.Count == 0 || drafts[^1] != draft)
            drafts.Add(draft);
    }

    /// <summary>A chunk of a message that is still being written has been copied.</summary>
    public void MoveDraftChunk(DraftChunks draft, int chunk, RecordLocation to)
    {
        Unclaim([draft.Places[chunk]]);
        draft.Places[chunk] = to;
        Claim(to, draft);
    }

    public void Unclaim(IEnumerable<RecordLocation> chunks)
    {
        foreach (var chunk in chunks)
        {
            chunk.Segment.Live -= chunk.Stride;
            chunk.Segment.Unclaimed--;
            HasNewlyDead = true;
        }
    }

    /// <summary>After replay: from now on there is an order of arrival.</summary>
    public void SortByArrival()
    {
        var sorted = messages.All.ToArray();
        Array.Sort(sorted, static (a, b) => a.Order.CompareTo(b.Order));
        arrivals = new ArrivalOrder();
        foreach (var message in sorted)
            arrivals.Append(message);
    }

    /// <summary>After replay, which treats all alike.</summary>
    public void EndWhatHasEnded()
    {
        foreach (var message in messages.All.Where(static m => m.Standing.HasEnded).ToList())
        {
            End(message, message.Entry!.State);
            Due.Rest(message);
        }
    }

    private static void Occupy(StoredMessage message, MessageLocation location)
    {
        Occupy(message, location.Record);
        foreach (var chunk in location.Chunks)
            Occupy(message, chunk);
    }

    private static void Occupy(StoredMessage message, RecordLocation record)
    {
        record.Segment.Live += record.Stride;
        var residents = record.Segment.Residents;
        if (residents.Count == 0 || residents[^1] != message)
            residents.Add(message);
    }

    private void Vacate(MessageLocation location)
    {
        location.Record.Segment.Live -= location.Record.Stride;
        foreach (var chunk in location.Chunks)
            chunk.Segment.Live -= chunk.Stride;
        HasNewlyDead = true;
    }

    private void ReleaseState(StoredMessage message)
    {
        if (message.StateRecord is not { } record)
            return;
        record.Segment.Live -= record.Stride;
        message.StateRecord = null;
        HasNewlyDead = true;
    }
}
