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
    public FakeSpool(TimeProvider? clock = null) => inner = new MemorySpool(clock);

    private readonly MemorySpool inner;

    /// <summary>As the next process finds it.</summary>
    public MemorySpool Left => inner;
    private readonly ConcurrentDictionary<QueueId, TaskCompletionSource> removals = new();

    public event Action<SpoolEntry>? Committed
    {
        add => inner.Committed += value;
        remove => inner.Committed -= value;
    }

    public event Action? DueEarlier
    {
        add => inner.DueEarlier += value;
        remove => inner.DueEarlier -= value;
    }

    public event Action<SpoolEntry>? Updated;

    public SpoolTally Tally => inner.Tally;

    public SpoolStatus Status { get; set; } = SpoolStatus.Writable;

    public int Count => inner.Count;

    public SpoolRecovery Recovery => inner.Recovery;

    public TimeSpan CommitTime => inner.CommitTime;

    /// <summary>Nobody renews the lease of claims: they end.</summary>
    public bool IsRenewalLost { get; set; }

    /// <summary>The process is killed as soon as a report is stored: nothing that is said of a claim afterwards reaches the spool.</summary>
    public bool DiesWithReport { get; set; }

    private bool isDead;

    /// <summary>When set, what every commit answers.</summary>
    public SpoolCommit? CommitFailure { get; set; }

    /// <summary>When set, what beginning a message throws.</summary>
    public Exception? DraftFailure { get; set; }

    public Func<QueueId, Exception?> ContentFailure { get; set; } = static _ => null;

    public int Updates { get; private set; }

    /// <summary>Called with each update before it is made; the update waits for it.</summary>
    public Func<DeliveryState, Task> BeforeUpdate { get; set; } = static _ => Task.CompletedTask;

    /// <summary>What was claimed as it was due, in this order.</summary>
    public ConcurrentQueue<QueueId> Claimed { get; } = [];

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

    public async ValueTask<ISpoolClaims> OpenClaimsAsync(CancellationToken ct) => new Claims(this, await inner.OpenClaimsAsync(ct));

    public async ValueTask<bool> ChangeAsync(QueueId id, Func<SpoolEntry, DeliveryState?> change, CancellationToken ct) =>
        await BeforeAsync(inner.Find(id) is { } entry ? change(entry) : null) && await inner.ChangeAsync(id, change, ct) && Note(id);

    public ValueTask<int> RescheduleAsync(IReadOnlyCollection<QueueId> ids, DateTimeOffset due, CancellationToken ct) => inner.RescheduleAsync(ids, due, ct);

    public async ValueTask<bool> RemoveAsync(QueueId id, CancellationToken ct)
    {
        var removed = await inner.RemoveAsync(id, ct);
        NoteGone(id);
        return removed;
    }

    public async ValueTask<int> RemoveAllAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct)
    {
        var removed = await inner.RemoveAllAsync(ids, ct);
        foreach (var id in ids)
            NoteGone(id);
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
    public async Task<QueueId> AddAsync(TimeProvider clock, string content, string sender, string[] recipients, Func<Envelope, Envelope> with, Func<DeliveryState, DeliveryState>? state = null)
    {
        await using var draft = CreateDraft();
        await draft.AppendAsync(Encoding.Latin1.GetBytes(content), CancellationToken.None);
        var now = clock.GetUtcNow();
        var envelope = with(new Envelope
        {
            Id = QueueId.New(clock),
            ArrivedAt = now,
            Said = new(sender.Length == 0 ? ReversePath.Null : new ReversePath(Mailbox.Parse(sender)), [.. recipients.Select(Mailbox.Parse)]),
        });
        var fresh = DeliveryState.Fresh(recipients.Length, envelope.ReleasedAt);
        await draft.CommitAsync(envelope, state?.Invoke(fresh) ?? fresh, CancellationToken.None);
        return envelope.Id;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async ValueTask<bool> BeforeAsync(DeliveryState? state)
    {
        if (state is not null)
            await BeforeUpdate(state);
        return true;
    }

    private bool Note(QueueId id)
    {
        Updates++;
        if (inner.Find(id) is { } entry)
            Updated?.Invoke(entry);
        return true;
    }

    private void NoteGone(QueueId id) => removals.GetOrAdd(id, static _ => NewSignal()).TrySetResult();

    private sealed class Claims(FakeSpool spool, ISpoolClaims inner) : ISpoolClaims
    {
        public TimeSpan Lease => inner.Lease;

        public ValueTask<bool> RenewAsync(CancellationToken ct) => spool.IsRenewalLost ? new(true) : inner.RenewAsync(ct);

        public async ValueTask<SpoolClaim.Batch> ClaimDueAsync(DateTimeOffset now, int most, string? shelf, CancellationToken ct)
        {
            if (spool.isDead)
                return new SpoolClaim.Batch([], Next: null);
            var batch = await inner.ClaimDueAsync(now, most, shelf, ct);
            foreach (var claim in batch.Claims)
                spool.Claimed.Enqueue(claim.Id);
            return batch;
        }

        public ValueTask<SpoolClaim?> ClaimAsync(QueueId id, CancellationToken ct) => inner.ClaimAsync(id, ct);

        public ValueTask<IReadOnlyList<SpoolClaim>> ClaimFreeAsync(IReadOnlyCollection<QueueId> ids, CancellationToken ct) =>
            spool.isDead ? new([]) : inner.ClaimFreeAsync(ids, ct);

        public async ValueTask<SpoolClaim.Answer> RecordAsync(SpoolClaim claim, DeliveryState state, CancellationToken ct)
        {
            if (spool.isDead)
                await Task.Delay(Timeout.Infinite, ct);
            await spool.BeforeUpdate(state);
            var answer = await inner.RecordAsync(claim, state, ct);
            if (answer == SpoolClaim.Answer.Done)
                spool.Note(claim.Id);
            return answer;
        }

        public async ValueTask<SpoolCommit> CommitAsync(IReadOnlyList<SpoolClaim.Settled> settled, ISpoolDraft draft, Envelope envelope, DeliveryState state, CancellationToken ct)
        {
            if (spool.CommitFailure is { } failure)
                return failure;
            spool.isDead = spool.DiesWithReport;
            var commit = await inner.CommitAsync(settled, ((Draft)draft).Inner, envelope, state, ct);
            if (commit is SpoolCommit.Durable)
            {
                foreach (var (claim, _) in settled)
                    spool.Note(claim.Id);
            }

            if (spool.isDead)
                await inner.DisposeAsync();
            return commit;
        }

        public async ValueTask<SpoolClaim.Answer> FinishAsync(SpoolClaim claim, CancellationToken ct)
        {
            if (spool.isDead)
                await Task.Delay(Timeout.Infinite, ct);
            var answer = await inner.FinishAsync(claim, ct);
            if (answer == SpoolClaim.Answer.Done)
                spool.NoteGone(claim.Id);
            return answer;
        }

        public ValueTask ReleaseAsync(SpoolClaim claim, string? shelf, CancellationToken ct) => inner.ReleaseAsync(claim, shelf, ct);

        public ValueTask ClearShelfAsync(string shelf, CancellationToken ct) => inner.ClearShelfAsync(shelf, ct);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class Draft(FakeSpool spool, ISpoolDraft inner) : ISpoolDraft
    {
        public ISpoolDraft Inner => inner;

        public long Length => inner.Length;

        public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => inner.AppendAsync(content, ct);

        public ValueTask<SpoolCommit> CommitAsync(Envelope envelope, DeliveryState state, CancellationToken ct)
        {
            spool.isDead |= spool.DiesWithReport && envelope.ReportOf is not null;
            return spool.CommitFailure is { } failure ? new ValueTask<SpoolCommit>(failure) : inner.CommitAsync(envelope, state, ct);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
