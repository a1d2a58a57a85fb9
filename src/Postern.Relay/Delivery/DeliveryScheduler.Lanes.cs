using Postern.Relay.Audit.Events;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <content>The side that the lanes see: what to send next, and what became of it.</content>
public sealed partial class DeliveryScheduler
{
    async ValueTask<PreparedJob?> ILaneHost.PrepareAsync(DeliveryJob job)
    {
        // What is delivered now could not be recorded, and would be delivered once more after the restart.
        if (spool.Status is { Condition: SpoolCondition.Failed, Reason: { } reason })
            return await SettleAsync(new Outcome.Deferred(Remote: null, $"not tried: {reason}", Tls: null)).ConfigureAwait(false);
        var now = clock.GetUtcNow();
        if (job.Message.Envelope.Deadline?.IsOver(now) == true && job.Message.TriedUnder == Look())
            return await SettleAsync(new Outcome.Failed(Remote: null, "The time that the sender set for delivery (BY=) has passed", Tls: null, "5.4.7")).ConfigureAwait(false);
        try
        {
            if (!job.Message.IsRemoved && await spool.OpenContentAsync(job.Message.Id, abandoned.Token).ConfigureAwait(false) is { } content)
                return new PreparedJob(job, content, now, this);
        }
        catch (Exception e)
        {
            await ((ILaneHost)this).FailInternallyAsync(job, e).ConfigureAwait(false);
            return null;
        }

        Forget(job.Message);
        return null;

        async ValueTask<PreparedJob?> SettleAsync(Outcome outcome)
        {
            await ((ILaneHost)this).CompleteAsync(job, Same(job, outcome)).ConfigureAwait(false);
            return null;
        }
    }

    async ValueTask ILaneHost.RecordAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        try
        {
            Note(job, outcomes);
            lock (gate)
            {
                for (var i = 0; i < outcomes.Count; i++)
                {
                    if (outcomes[i] is not Outcome.Deferred)
                        job.Message.Outcomes[job.IndexOf(i)] = outcomes[i];
                }
            }

            await StoreDeliveredAsync(job.Message, job, outcomes).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "delivery-error", $"{job.Message.Id}: {mistake}"));
        }
    }

    void ILaneHost.OnReached(NextHop hop) => outages.End(hop);

    void ILaneHost.OnUnreachable(NextHop hop) => outages.Begin(hop);

    async ValueTask ILaneHost.CompleteAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        var message = job.Message;
        try
        {
            Note(job, outcomes);
            bool isLast;
            lock (gate)
            {
                for (var i = 0; i < outcomes.Count; i++)
                    message.Outcomes[job.IndexOf(i)] = outcomes[i];
                isLast = --message.OpenJobs == 0;
            }

            if (isLast)
                await EndAttemptAsync(message).ConfigureAwait(false);
            else if (outcomes.Any(static o => o is Outcome.Delivered))
                await StoreDeliveredAsync(message, job, outcomes).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "delivery-error", $"{message.Id}: {mistake}"));
            await EndByMistakeAsync(message, isOurs: OwnShortage.WordsOf(mistake) is not null).ConfigureAwait(false);
        }
    }

    ValueTask ILaneHost.FailInternallyAsync(DeliveryJob job, Exception mistake)
    {
        var message = job.Message;
        if (OwnShortage.WordsOf(mistake) is { } shortage)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "own_shortage", $"{message.Id}: {shortage}"));
            return ((ILaneHost)this).CompleteAsync(job, Same(job, new Outcome.Deferred(Remote: null, $"not tried, as this server ran short: {shortage}", Tls: null) { IsOurs = true }));
        }

        audit.Append(new ServerEvent(clock.GetUtcNow(), "delivery-error", $"{message.Id}: {mistake}"));
        // Whatever a key, a certificate or the network is like, the message is not at fault: it has its attempts and its time, as with any next hop.
        return ((ILaneHost)this).CompleteAsync(job, Same(job, OwnShortage.SurroundingsOf(mistake) is { } words
            ? new Outcome.Deferred(Remote: null, words, Tls: null)
            : new Outcome.Deferred(Remote: null, $"internal error: {mistake.Message}", Tls: null) { IsMistake = true }));
    }

    private async ValueTask EndByMistakeAsync(TrackedMessage message, bool isOurs)
    {
        try
        {
            var isLast = message is { IsRemoved: false, OpenJobs: 0 };
            DeliveryState? held = null;
            if (isLast && !isOurs && ++message.InternalErrors >= options.InternalErrorsBeforeHold && message.State.HeldByServerAt is null)
                held = await HoldHereAsync(message, message.State, clock.GetUtcNow()).ConfigureAwait(false) is { Held: true } state ? state : null;
            bool isFinished;
            lock (gate)
            {
                EndByMistake(message, isOurs, held);
                isFinished = message is { OpenJobs: 0, IsRemoved: false, State.IsFinished: true };
            }

            // Only what the sender was to hear went wrong: another attempt would be another copy.
            if (isFinished)
            {
                await spool.RemoveAsync(message.Id, CancellationToken.None).ConfigureAwait(false);
                Forget(message);
            }
            else if (isLast)
            {
                await StoreAsync(message, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception mistake)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "delivery-error", $"{message.Id}: {mistake}"));
        }
    }

    void ILaneHost.OnIdle(DestinationQueue queue)
    {
        lock (gate)
        {
            if (queue is { Waiting: 0, Lanes: 0 } && destinations.TryGetValue(queue.Hop, out var current) && current == queue)
                destinations.Remove(queue.Hop);
        }
    }
}
