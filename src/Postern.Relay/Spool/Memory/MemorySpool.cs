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

    public IReadOnlyList<SpoolEntry> List()
    {
        lock (gate)
            return [.. messages.Values.OrderBy(static message => message.Order).Select(static message => message.Entry)];
    }

    public IReadOnlyList<SpoolEntry>? List(QueueId? after, int most)
    {
        var all = List();
        return after is null ? [.. all.Take(most)]
            : Find(after.Value) is null ? null
            : [.. all.SkipWhile(entry => entry.Envelope.Id != after).Skip(1).Take(most)];
    }

    public SpoolEntry? Find(QueueId id)
    {
        lock (gate)
            return messages.TryGetValue(id, out var message) ? message.Entry : null;
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

    public bool Remove(QueueId id)
    {
        lock (gate)
            return messages.Remove(id);
    }

    public ISpoolContent? OpenContent(QueueId id)
    {
        lock (gate)
            return messages.TryGetValue(id, out var message) ? new MemoryContent(message.Content) : null;
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
