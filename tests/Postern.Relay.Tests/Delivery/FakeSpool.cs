using System.Collections.Concurrent;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A spool in memory whose changes can be awaited and whose failures can be set.</summary>
internal sealed class FakeSpool : ISpool
{
    private readonly MemorySpool inner = new();
    private readonly ConcurrentDictionary<QueueId, TaskCompletionSource> removals = new();

    public event Action<SpoolEntry>? Committed
    {
        add => inner.Committed += value;
        remove => inner.Committed -= value;
    }

    public event Action<SpoolEntry>? Updated;

    public SpoolStatus Status { get; set; } = SpoolStatus.Writable;

    public int Count => inner.Count;

    public SpoolRecovery Recovery => inner.Recovery;

    public TimeSpan CommitTime => inner.CommitTime;

    /// <summary>When set, what every commit answers.</summary>
    public SpoolCommit? CommitFailure { get; set; }

    /// <summary>When set, what beginning a message throws.</summary>
    public Exception? DraftFailure { get; set; }

    public Func<QueueId, Exception?> ContentFailure { get; set; } = static _ => null;

    public int Updates { get; private set; }

    /// <summary>Called with each update before it is made; the update waits for it.</summary>
    public Func<DeliveryState, Task> BeforeUpdate { get; set; } = static _ => Task.CompletedTask;

    public ValueTask<IReadOnlyList<SpoolEntry>> ListAsync(QueueFilter filter, QueueId? after, int most, CancellationToken ct) => inner.ListAsync(filter, after, most, ct);

    public ValueTask<int> CountAsync(QueueFilter filter, CancellationToken ct) => inner.CountAsync(filter, ct);

    public ValueTask<SpoolEntry?> FindAsync(QueueId id, CancellationToken ct) => inner.FindAsync(id, ct);

    public string Text(QueueId id)
    {
        using var content = inner.OpenContent(id)!;
        var octets = new byte[content.Length];
        SpoolNow.Now(content.ReadAsync(0, octets, CancellationToken.None));
        return Encoding.Latin1.GetString(octets);
    }

    public ISpoolDraft CreateDraft() => DraftFailure is { } failure ? throw failure : new Draft(this, inner.CreateDraft());

    public async ValueTask<bool> UpdateAsync(QueueId id, DeliveryState state, CancellationToken ct)
    {
        await BeforeUpdate(state);
        if (!await inner.UpdateAsync(id, state, ct))
            return false;
        Updates++;
        if (inner.Find(id) is { } entry)
            Updated?.Invoke(entry);
        return true;
    }

    public async ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct)
    {
        var removed = await inner.RemoveAsync(id, ct);
        removals.GetOrAdd(id, static _ => NewSignal()).TrySetResult();
        return removed;
    }

    public ValueTask<ISpoolContent?> OpenContentAsync(QueueId id, CancellationToken ct) =>
        ContentFailure(id) is { } failure ? throw failure : inner.OpenContentAsync(id, ct);

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
        if (this.Find(id) is { } now && condition(now.State))
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

    private sealed class Draft(FakeSpool spool, ISpoolDraft inner) : ISpoolDraft
    {
        public long Length => inner.Length;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => inner.AppendAsync(content, ct);

        public ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct) =>
            spool.CommitFailure is { } failure ? new ValueTask<SpoolCommit>(failure) : inner.CommitAsync(envelope, state, ct);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
