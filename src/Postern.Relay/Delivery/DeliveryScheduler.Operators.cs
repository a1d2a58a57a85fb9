using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <content>What operators may do to a message, and what they may know.</content>
public sealed partial class DeliveryScheduler
{
    /// <summary>Makes a message wait for <see cref="ReleaseAsync"/>; the server's own hold becomes one that does not end by itself.</summary>
    public async ValueTask<QueueCommandOutcome> HoldAsync(QueueId id, CancellationToken ct)
    {
        TrackedMessage? message;
        lock (gate)
        {
            if (!messages.TryGetValue(id, out message))
                return QueueCommandOutcome.NotFound;
            if (message.Stage == MessageStage.Active)
            {
                message.IsHoldWanted = true;
                return QueueCommandOutcome.UnderWay;
            }

            message.State = message.State with { Held = true, HeldByServerAt = null };
            Hold(message);
        }

        await StoreAsync(message, ct).ConfigureAwait(false);
        return QueueCommandOutcome.Done;
    }

    /// <summary>
    /// Ends an operator's hold: the message is tried at once, or at the release that its sender asked for (FUTURERELEASE), when that is still to
    /// come. Where no operator holds it, it ends the sender's.
    /// </summary>
    public async ValueTask<QueueCommandOutcome> ReleaseAsync(QueueId id, CancellationToken ct)
    {
        TrackedMessage? message;
        lock (gate)
        {
            if (!messages.TryGetValue(id, out message))
                return QueueCommandOutcome.NotFound;
            message.IsHoldWanted = false;
            if (message.IsHeldBySender(clock.GetUtcNow()))
                Dispatch(message);
            if (message.Stage != MessageStage.Held)
                return QueueCommandOutcome.Done;
            message.InternalErrors = 0;
            var now = clock.GetUtcNow();
            message.State = message.State with { Held = false, HeldByServerAt = null, NextAttempt = message.State.IsForLater(message.Envelope, now) ? message.Envelope.ReleasedAt : now };
        }

        await StoreAsync(message, ct).ConfigureAwait(false);
        lock (gate)
        {
            if (message.Stage == MessageStage.Held && !message.State.Held)
                Place(message);
        }

        return QueueCommandOutcome.Done;
    }

    /// <summary>Tries a message now instead of at its time. One that is held, by an operator or for its sender, stays: mail sent too early cannot be called back.</summary>
    public ValueTask<QueueCommandOutcome> RetryNowAsync(QueueId id, CancellationToken ct) => new(RetryNow(id));

    private QueueCommandOutcome RetryNow(QueueId id)
    {
        Look();
        lock (gate)
        {
            if (!messages.TryGetValue(id, out var message))
                return QueueCommandOutcome.NotFound;
            switch (message.Stage)
            {
                case MessageStage.Active:
                    return QueueCommandOutcome.UnderWay;
                case MessageStage.Held:
                    return QueueCommandOutcome.Held;
                case MessageStage.Parked:
                    return QueueCommandOutcome.NoRoute;
                case MessageStage.Waiting when message.IsHeldBySender(clock.GetUtcNow()):
                    return QueueCommandOutcome.Held;
                default:
                    Dispatch(message);
                    return options.Routes.Holds ? QueueCommandOutcome.NoRoute : QueueCommandOutcome.Done;
            }
        }
    }

    /// <summary>
    /// Tries now, instead of at their time, at most <paramref name="most"/> messages with a recipient in the domain, and says how many that were. What
    /// its sender wants to be held (FUTURERELEASE) stays.
    /// </summary>
    /// <param name="andBelow">Also those with a recipient in a domain below it.</param>
    public ValueTask<int> RetryNowAsync(Domain domain, bool andBelow, int most, CancellationToken ct)
    {
        Look();
        var suffix = "." + domain.Text;
        var now = clock.GetUtcNow();
        var count = 0;
        lock (gate)
        {
            foreach (var message in messages.Values)
            {
                if (count == most || isStopping)
                    break;
                if (message.Stage != MessageStage.Waiting || message.IsHeldBySender(now) || !WaitsFor(message, domain, andBelow ? suffix : null))
                    continue;
                Dispatch(message);
                count++;
            }
        }

        return new(count);
    }

    /// <summary>Forgets a message without telling its sender. One under way may still be delivered.</summary>
    public async ValueTask<QueueCommandOutcome> RemoveAsync(QueueId id, CancellationToken ct)
    {
        var wasActive = false;
        lock (gate)
        {
            if (messages.Remove(id, out var message))
            {
                message.IsRemoved = true;
                wasActive = message.Stage == MessageStage.Active;
                if (!wasActive)
                    message.Turn++;
            }
        }

        var wasThere = await spool.RemoveAsync(id, ct).ConfigureAwait(false);
        return wasActive ? QueueCommandOutcome.UnderWay : wasThere ? QueueCommandOutcome.Done : QueueCommandOutcome.NotFound;
    }

    private static bool WaitsFor(TrackedMessage message, Domain domain, string? suffix)
    {
        var recipients = message.Envelope.Recipients;
        for (var i = 0; i < recipients.Length; i++)
        {
            if (message.State.Recipients[i].Status == RecipientStatus.Pending
                && (recipients[i].Domain.Equals(domain) || (suffix is not null && recipients[i].Domain.Text.EndsWith(suffix, StringComparison.Ordinal))))
                return true;
        }

        return false;
    }

    public DeliveryStatistics Statistics()
    {
        lock (gate)
        {
            var stages = messages.Values.CountBy(static m => m.Stage).ToDictionary();
            return new DeliveryStatistics(
                stages.GetValueOrDefault(MessageStage.Waiting),
                stages.GetValueOrDefault(MessageStage.Active),
                stages.GetValueOrDefault(MessageStage.Held),
                stages.GetValueOrDefault(MessageStage.Parked),
                messages.Values.Count(static m => m.IsHeldByServer),
                [.. destinations.Values.Select(static d => new DestinationStatistics(d.Hop.Name, d.Waiting, d.Lanes)).OrderByDescending(static d => d.Waiting)]);
        }
    }
}
