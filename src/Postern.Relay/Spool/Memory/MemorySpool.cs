using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Claims;

namespace Postern.Relay.Spool.Memory;

/// <summary>A spool that forgets everything with the process: for tests, and for embedding where losing mail is agreed upon.</summary>
public sealed class MemorySpool(TimeProvider? clock = null) : ISpool
{
    private readonly TimeProvider time = clock ?? TimeProvider.System;
    private readonly Lock gate = new();
    private readonly Dictionary<QueueId, MemoryMessage> messages = [];
    private readonly Dictionary<QueueId, MemoryMessage> ended = [];
    private readonly DueIndex due = new(clock ?? TimeProvider.System);
    private long arrivals;

    public event Action<SpoolEntry>? Committed;

    public event Action? DueEarlier;

    public SpoolTally Tally
    {
        get
        {
            lock (gate)
                return due.Tally;
        }
    }

    public SpoolStatus Status => SpoolStatus.Writable;

    public int Count
    {
        get
        {
            lock (gate)
                return messages.Count;
        }
    }

    public SpoolRecovery Recovery => SpoolRecovery.Nothing;

    public TimeSpan CommitTime => TimeSpan.Zero;

    public ValueTask<IReadOnlyList<SpoolEntry>> ListAsync(QueueFilter filter, QueueId? after, int most, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (gate)
        {
            var entries = messages.Values.OrderBy(static message => message.Order).Select(static message => message.Entry!);
            if (after is { } id)
                entries = messages.ContainsKey(id)
                    ? entries.SkipWhile(entry => entry.Envelope.Id != id).Skip(1)
                    : entries.SkipWhile(entry => entry.Envelope.Id.CreatedAt < id.CreatedAt);
            return new([.. entries.Where(filter.Matches).Take(most)]);
        }
    }

    public SpoolAges Ages()
    {
        lock (gate)
        {
            var oldest = new OldestOfEach(due.Tally, messages.Count, time.GetUtcNow());
            foreach (var message in messages.Values.OrderBy(static message => message.Order))
                oldest.Look(message, DueIndex.IsClaimed(message));
            return oldest.Ages;
        }
    }

    public ValueTask<int> CountAsync(QueueFilter filter, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (gate)
            return new(filter.IsEverything ? messages.Count : messages.Values.Count(message => filter.Matches(message.Entry!)));
    }

    public ValueTask<SpoolEntry?> FindAsync(QueueId id, CancellationToken ct)
    {
        lock (gate)
            return new(messages.TryGetValue(id, out var message) ? message.Entry : null);
    }

    public ISpoolDraft CreateDraft() => new MemoryDraft(this);

    public ValueTask<ISpoolClaims> OpenClaimsAsync(CancellationToken ct) =>
        new(Use(index => new MemoryClaims(this, index.Join(SpoolRules.Lease))));

    public ValueTask<bool> ChangeAsync(QueueId id, Func<SpoolEntry, DeliveryState?> change, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(Use(index =>
        {
            if (Held(id) is not { Entry: { } entry } message || change(entry) is not { } state)
                return false;
            SpoolRules.Check(entry.Envelope, state);
            index.Outdate(message);
            index.Change(message, state);
            return true;
        }));
    }

    public ValueTask<IReadOnlyList<SpoolEntry>> ListEndedAsync(CancellationToken ct)
    {
        lock (gate)
            return new([.. ended.Values.Select(static message => message.Entry!)]);
    }

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct) => new(Use(_ => Forget(id)));

    public ValueTask<int> RemoveAllAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct) => new(Use(_ => ids.Count(Forget)));

    public ValueTask<int> RescheduleAsync(IReadOnlyCollection<QueueId> ids, DateTimeOffset due, CancellationToken ct) =>
        new(Use(index => ids.Count(id => Held(id) is { } message && index.Reschedule(message, due))));

    public ValueTask<ISpoolContent?> OpenContentAsync(QueueId id, CancellationToken ct)
    {
        lock (gate)
            return new(messages.TryGetValue(id, out var message) ? new MemoryContent(message.Content) : null);
    }

    public ValueTask<ISpoolContent?> OpenEndedAsync(QueueId id, CancellationToken ct)
    {
        lock (gate)
            return new(ended.TryGetValue(id, out var message) ? new MemoryContent(message.Content) : null);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <param name="with">What is done in the same step; false: nothing is.</param>
    internal bool Add(SpoolEntry entry, ReadOnlyMemory<byte> content, Func<DueIndex, bool>? with = null)
    {
        var isAdded = Use(index =>
        {
            if (messages.ContainsKey(entry.Envelope.Id))
                throw new InvalidOperationException($"Message {entry.Envelope.Id} is in the spool already");
            if (with?.Invoke(index) == false)
                return false;
            var message = new MemoryMessage(arrivals++, entry, content);
            messages.Add(entry.Envelope.Id, message);
            index.Add(message);
            return true;
        });
        if (isAdded)
            Committed?.Invoke(entry);
        return isAdded;
    }

    /// <summary>Works on the index, and tells when something is due earlier after it.</summary>
    internal T Use<T>(Func<DueIndex, T> work)
    {
        T result;
        bool isEarlier;
        lock (gate)
        {
            result = work(due);
            isEarlier = due.TakeEarlier();
        }

        if (isEarlier)
            DueEarlier?.Invoke();
        return result;
    }

    /// <summary>Within <see cref="Use"/>.</summary>
    internal MemoryMessage? Held(QueueId id) => messages.GetValueOrDefault(id);

    /// <summary>The same.</summary>
    internal bool Forget(QueueId id)
    {
        if (messages.Remove(id, out var message))
            due.Remove(message);
        else if (!ended.Remove(id, out message))
            return false;
        message.Entry = null;
        return true;
    }

    /// <summary>The same: the delivery of a message that is there is over.</summary>
    internal void End(MemoryMessage message, DeliveryState last)
    {
        messages.Remove(message.Id);
        due.Remove(message);
        message.Entry = message.Entry! with { State = last };
        ended.Add(message.Id, message);
    }
}

/// <summary>One message, its number in the order of arrival, and its content.</summary>
internal sealed class MemoryMessage(long order, SpoolEntry entry, ReadOnlyMemory<byte> content) : SpoolItem(entry.Envelope.Id, entry)
{
    public long Order => order;

    public ReadOnlyMemory<byte> Content => content;
}
