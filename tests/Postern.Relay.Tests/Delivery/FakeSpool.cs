using System.Collections.Concurrent;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A spool in memory whose changes can be awaited and whose failures can be set.</summary>
internal sealed class FakeSpool : ISpool
{
    private readonly ConcurrentDictionary<QueueId, (SpoolEntry Entry, byte[] Content)> messages = new();
    private readonly ConcurrentDictionary<QueueId, TaskCompletionSource> removals = new();

    public event Action<SpoolEntry>? Committed;

    public event Action<SpoolEntry>? Updated;

    public SpoolStatus Status { get; set; } = SpoolStatus.Writable;

    public int Count => messages.Count;

    /// <summary>When set, what every commit answers.</summary>
    public SpoolCommit? CommitFailure { get; set; }

    /// <summary>When set, what beginning a message throws.</summary>
    public Exception? DraftFailure { get; set; }

    public Func<QueueId, Exception?> ContentFailure { get; set; } = static _ => null;

    public int Updates { get; private set; }

    /// <summary>Called with each update before it is made; the update waits for it.</summary>
    public Func<DeliveryState, Task> BeforeUpdate { get; set; } = static _ => Task.CompletedTask;

    public IReadOnlyList<SpoolEntry> List() => [.. messages.Values.Select(static m => m.Entry).OrderBy(static e => e.Envelope.Id)];

    public IReadOnlyList<SpoolEntry>? List(QueueId? after, int most) => throw new NotSupportedException();

    public SpoolEntry? Find(QueueId id) => messages.TryGetValue(id, out var message) ? message.Entry : null;

    public string Text(QueueId id) => Encoding.Latin1.GetString(messages[id].Content);

    public ISpoolDraft CreateDraft() => DraftFailure is { } failure ? throw failure : new Draft(this);

    public async ValueTask<bool> UpdateAsync(QueueId id, DeliveryState state, CancellationToken ct)
    {
        await BeforeUpdate(state);
        if (!messages.TryGetValue(id, out var message))
            return false;
        Updates++;
        messages[id] = (message.Entry with { State = state }, message.Content);
        Updated?.Invoke(messages[id].Entry);
        return true;
    }

    public bool Remove(QueueId id)
    {
        var removed = messages.TryRemove(id, out _);
        removals.GetOrAdd(id, static _ => NewSignal()).TrySetResult();
        return removed;
    }

    public ISpoolContent? OpenContent(QueueId id)
    {
        if (ContentFailure(id) is { } failure)
            throw failure;
        return messages.TryGetValue(id, out var message) ? new Content(message.Content) : null;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Done when the message has been removed.</summary>
    public Task GoneAsync(QueueId id) => removals.GetOrAdd(id, static _ => NewSignal()).Task.WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>The next state stored for the message that fulfils a condition.</summary>
    public Task<DeliveryState> UpdatedAsync(QueueId id, Func<DeliveryState, bool> condition)
    {
        var signal = new TaskCompletionSource<DeliveryState>(TaskCreationOptions.RunContinuationsAsynchronously);
        Updated += entry =>
        {
            if (entry.Envelope.Id == id && condition(entry.State))
                signal.TrySetResult(entry.State);
        };
        if (Find(id) is { } now && condition(now.State))
            signal.TrySetResult(now.State);
        return signal.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    public Task<QueueId> AddAsync(TimeProvider clock, string content, string sender, params string[] recipients) =>
        AddAsync(clock, content, sender, recipients, static envelope => envelope);

    /// <param name="with">Changes the envelope before it is committed.</param>
    public async Task<QueueId> AddAsync(TimeProvider clock, string content, string sender, string[] recipients, Func<Envelope, Envelope> with)
    {
        await using var draft = CreateDraft();
        await draft.AppendAsync(Encoding.Latin1.GetBytes(content), CancellationToken.None);
        var now = clock.GetUtcNow();
        var envelope = with(new Envelope
        {
            Id = QueueId.New(clock),
            ArrivedAt = now,
            Sender = sender.Length == 0 ? ReversePath.Null : new ReversePath(Mailbox.Parse(sender)),
            Recipients = [.. recipients.Select(Mailbox.Parse)],
        });
        await draft.CommitAsync(envelope, DeliveryState.Fresh(recipients.Length, envelope.ReleasedAt), CancellationToken.None);
        return envelope.Id;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Draft(FakeSpool spool) : ISpoolDraft
    {
        private readonly MemoryStream content = new();

        public long Length => content.Length;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> piece, CancellationToken ct)
        {
            content.Write(piece.Span);
            return ValueTask.CompletedTask;
        }

        public ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct)
        {
            if (spool.CommitFailure is { } failure)
                return new ValueTask<SpoolCommit>(failure);
            var entry = new SpoolEntry(envelope, content.Length, state);
            spool.messages[envelope.Id] = (entry, content.ToArray());
            spool.Committed?.Invoke(entry);
            return new ValueTask<SpoolCommit>(new SpoolCommit.Durable(entry));
        }

        public ValueTask DisposeAsync() => content.DisposeAsync();
    }

    private sealed class Content(byte[] octets) : ISpoolContent
    {
        public long Length => octets.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
        {
            var count = (int)Math.Min(buffer.Length, octets.Length - offset);
            octets.AsMemory((int)offset, count).CopyTo(buffer);
            return new ValueTask<int>(count);
        }

        public void Dispose()
        {
        }
    }
}
