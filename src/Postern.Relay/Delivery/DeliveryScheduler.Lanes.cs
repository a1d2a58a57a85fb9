using Postern.Relay.Audit;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <content>The side that the lanes see: what to send next, and what became of it.</content>
public sealed partial class DeliveryScheduler
{
    ValueTask<PreparedJob?> ILaneHost.PrepareAsync(DeliveryJob job)
    {
        // What is delivered now could not be recorded, and would be delivered once more after the restart.
        if (spool.Status is { Condition: SpoolCondition.Failed, Reason: { } reason })
            return DeferAsync(reason);
        try
        {
            if (!job.Message.IsRemoved && spool.OpenContent(job.Message.Id) is { } content)
                return new ValueTask<PreparedJob?>(new PreparedJob(job, content));
        }
        catch (Exception e)
        {
            return FailAsync(e);
        }

        Forget(job.Message);
        return new ValueTask<PreparedJob?>(result: null);

        async ValueTask<PreparedJob?> DeferAsync(string why)
        {
            await ((ILaneHost)this).CompleteAsync(job, Same(job, new Outcome.Deferred(Remote: null, $"not tried: {why}", Tls: null))).ConfigureAwait(false);
            return null;
        }

        async ValueTask<PreparedJob?> FailAsync(Exception mistake)
        {
            await ((ILaneHost)this).FailInternallyAsync(job, mistake).ConfigureAwait(false);
            return null;
        }
    }

    async ValueTask ILaneHost.CompleteAsync(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        var message = job.Message;
        try
        {
            bool isLast;
            lock (gate)
            {
                for (var i = 0; i < outcomes.Count; i++)
                    message.Outcomes[job.IndexOf(i)] = outcomes[i];
                isLast = --message.OpenJobs == 0;
            }

            Note(job, outcomes);
            if (isLast)
                await EndAttemptAsync(message).ConfigureAwait(false);
            else if (outcomes.Any(static o => o is Outcome.Delivered))
                await StoreDeliveredAsync(message, job, outcomes).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            audit.Append(new AuditEvent.Server(clock.GetUtcNow(), "delivery-error", $"{message.Id}: {mistake}"));
            lock (gate)
                EndByMistake(message);
        }
    }

    ValueTask ILaneHost.FailInternallyAsync(DeliveryJob job, Exception mistake)
    {
        var message = job.Message;
        audit.Append(new AuditEvent.Server(clock.GetUtcNow(), "delivery-error", $"{message.Id}: {mistake}"));
        lock (gate)
        {
            if (++message.InternalErrors >= options.InternalErrorsBeforeHold)
                message.IsHoldWanted = true;
        }

        return ((ILaneHost)this).CompleteAsync(job, Same(job, new Outcome.Deferred(Remote: null, $"internal error: {mistake.Message}", Tls: null)));
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
