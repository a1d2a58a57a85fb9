using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Memory;

/// <summary>A spool that forgets everything with the process: for tests, and for embedding where losing mail is agreed upon.</summary>
public sealed class MemorySpool : ISpool
{
    private readonly Lock gate = new();
    private readonly Dictionary<QueueId, MemoryMessage> messages = [];
    private long arrivals;

    public event Action<SpoolEntry>? Committed;

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
            var entries = messages.Values.OrderBy(static message => message.Order).Select(static message => message.Entry);
            if (after is { } id)
                entries = messages.ContainsKey(id) ? entries.SkipWhile(entry => entry.Envelope.Id != id).Skip(1) : entries.SkipWhile(entry => entry.Envelope.Id.CreatedAt < id.CreatedAt);
            return new([.. entries.Where(filter.Matches).Take(most)]);
        }
    }

    public ValueTask<int> CountAsync(QueueFilter filter, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (gate)
            return new(filter.IsEverything ? messages.Count : messages.Values.Count(message => filter.Matches(message.Entry)));
    }

    public ValueTask<SpoolEntry?> FindAsync(QueueId id, CancellationToken ct)
    {
        lock (gate)
            return new(messages.TryGetValue(id, out var message) ? message.Entry : null);
    }

    public ISpoolDraft CreateDraft() => new MemoryDraft(this);

    public ValueTask<bool> UpdateAsync(QueueId id, DeliveryState state, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (gate)
        {
            if (!messages.TryGetValue(id, out var message))
                return new ValueTask<bool>(false);
            SpoolRules.Check(message.Entry.Envelope, state);
            messages[id] = message with { Entry = message.Entry with { State = state } };
            return new ValueTask<bool>(true);
        }
    }

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct)
    {
        lock (gate)
            return new(messages.Remove(id));
    }

    public ValueTask<ISpoolContent?> OpenContentAsync(QueueId id, CancellationToken ct)
    {
        lock (gate)
            return new(messages.TryGetValue(id, out var message) ? new MemoryContent(message.Content) : null);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal void Add(SpoolEntry entry, ReadOnlyMemory<byte> content)
    {
        lock (gate)
        {
            if (!messages.TryAdd(entry.Envelope.Id, new MemoryMessage(arrivals++, entry, content)))
                throw new InvalidOperationException($"Message {entry.Envelope.Id} is in the spool already");
        }

        Committed?.Invoke(entry);
    }
}
