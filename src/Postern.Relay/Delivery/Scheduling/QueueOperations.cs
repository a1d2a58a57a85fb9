using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// What operators may do to a message. Of one at work, what waits for its turn is taken back, and what is being sent comes to its end; all
/// others are changed in the spool, which wakes the scheduler where something becomes due.
/// </summary>
internal sealed class QueueOperations(DeliveryWork work, Timekeeper time, Destinations destinations, AttemptEnd end)
{
    public async ValueTask<QueueCommandOutcome> HoldAsync(QueueId id, CancellationToken ct)
    {
        bool isAtWork;
        lock (work.Gate)
        {
            isAtWork = work.Messages.TryGetValue(id, out var message);
            if (isAtWork)
                message!.IsHoldWanted = true;
        }

        if (isAtWork)
            return await RecallAsync(id).ConfigureAwait(false) ? QueueCommandOutcome.Done : QueueCommandOutcome.UnderWay;
        return await work.Spool.ChangeAsync(id, static entry => entry.State with { Held = true, HeldByServerAt = null }, ct)
            .ConfigureAwait(false)
            ? QueueCommandOutcome.Done
            : QueueCommandOutcome.NotFound;
    }

    public async ValueTask<QueueCommandOutcome> ReleaseAsync(QueueId id, CancellationToken ct)
    {
        lock (work.Gate)
        {
            if (work.Messages.TryGetValue(id, out var message))
            {
                message.IsHoldWanted = false;
                return QueueCommandOutcome.Done;
            }
        }

        if (await work.Spool.FindAsync(id, ct).ConfigureAwait(false) is not { } entry)
            return QueueCommandOutcome.NotFound;
        if (!entry.State.Held && time.IsHeldBySender(entry))
        {
            lock (work.Gate)
                work.Memories.Remove(id);
            await work.Spool.RescheduleAsync([id], work.Now, ct).ConfigureAwait(false);
            return QueueCommandOutcome.Done;
        }

        lock (work.Gate)
        {
            if (work.Memories.TryGetValue(id, out var memory))
                memory.InternalErrors = 0;
        }

        var now = work.Now;
        await work.Spool.ChangeAsync(
            id,
            held => held.State.Held
                ? held.State with
                {
                    Held = false,
                    HeldByServerAt = null,
                    HeldFor = null,
                    NextAttempt = held.State.IsForLater(held.Envelope, now) ? held.Envelope.ReleasedAt : now,
                }
                : null,
            ct).ConfigureAwait(false);
        return QueueCommandOutcome.Done;
    }

    public async ValueTask<QueueCommandOutcome> RetryNowAsync(QueueId id, CancellationToken ct)
    {
        await time.LookAsync().ConfigureAwait(false);
        if (IsAtWork(id))
            return QueueCommandOutcome.UnderWay;
        if (await work.Spool.FindAsync(id, ct).ConfigureAwait(false) is not { } entry)
            return QueueCommandOutcome.NotFound;
        if (entry.State.Held || time.IsHeldBySender(entry))
            return QueueCommandOutcome.Held;
        if (work.Options.Routes.Holds)
            return QueueCommandOutcome.NoRoute;
        return await work.Spool.RescheduleAsync([id], work.Now, ct).ConfigureAwait(false) > 0
            ? QueueCommandOutcome.Done
            : QueueCommandOutcome.UnderWay;
    }

    public async ValueTask<int> RetryNowAsync(Domain domain, bool andBelow, int most, CancellationToken ct)
    {
        await time.LookAsync().ConfigureAwait(false);
        var suffix = andBelow ? "." + domain.Text : null;
        return await time.HurryAsync(entry => !time.IsHeldBySender(entry) && WaitsFor(entry, domain, suffix), most, ct)
            .ConfigureAwait(false);
    }

    public async ValueTask<QueueCommandOutcome> RemoveAsync(QueueId id, CancellationToken ct)
    {
        TrackedMessage? message;
        var isRecalled = false;
        lock (work.Gate)
        {
            work.Memories.Remove(id);
            message = work.End(id);
            if (message is not null)
            {
                message.IsRemoved = true;
                isRecalled = destinations.Recall(message);
            }
        }

        var wasThere = await work.Spool.RemoveAsync(id, ct).ConfigureAwait(false);
        if (isRecalled)
            await end.EndRecalledAsync(message!).ConfigureAwait(false);
        return message is not null && !isRecalled ? QueueCommandOutcome.UnderWay
            : wasThere ? QueueCommandOutcome.Done
            : QueueCommandOutcome.NotFound;
    }

    /// <summary>
    /// What waits for its turn is taken back, and what the spool has of the message counts; what is being sent comes to its end first. True
    /// where that was nothing.
    /// </summary>
    public async ValueTask<bool> RecallAsync(QueueId id)
    {
        TrackedMessage? message;
        lock (work.Gate)
        {
            if (work.IsStopping || !work.Messages.TryGetValue(id, out message) || !destinations.Recall(message))
                return false;
        }

        await end.EndRecalledAsync(message).ConfigureAwait(false);
        return true;
    }

    private static bool WaitsFor(SpoolEntry entry, Domain domain, string? suffix)
    {
        var recipients = entry.Envelope.Recipients;
        for (var i = 0; i < recipients.Length; i++)
        {
            if (entry.State.Recipients[i].Status == RecipientStatus.Pending
                && (recipients[i].Domain.Equals(domain)
                    || (suffix is not null && recipients[i].Domain.Text.EndsWith(suffix, StringComparison.Ordinal))))
                return true;
        }

        return false;
    }

    private bool IsAtWork(QueueId id)
    {
        lock (work.Gate)
            return work.Messages.ContainsKey(id);
    }
}
