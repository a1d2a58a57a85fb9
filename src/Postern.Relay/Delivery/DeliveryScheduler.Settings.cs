using System.Collections.Immutable;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Delivery;

/// <content>New settings while it runs.</content>
public sealed partial class DeliveryScheduler
{
    /// <summary>
    /// Takes new settings at once. What waits for a connection goes where the new routes lead, and what is being sent comes to its end. A next hop that
    /// is equal to an old one keeps its queue and its connections; one that no route names any more closes them when they have nothing to do. Messages
    /// that wait for their time keep it; without any route they are parked, and go on waiting when there is one again.
    /// </summary>
    public void Apply(DeliveryOptions changed)
    {
        transport.Apply(changed);
        reporter.Apply(changed);
        outages.Apply(changed);
        var ended = new List<TrackedMessage>();
        DestinationQueue[] queues;
        lock (gate)
        {
            var areRoutesNew = !ReferenceEquals(options.Routes, changed.Routes);
            // Pauses of the old schedule are none of a clock that was set.
            longestPause = LongestPause(changed.Retry) is var longest && longest > longestPause ? longest : longestPause;
            options = changed;
            queues = [.. destinations.Values];
            if (areRoutesNew && !isStopping)
            {
                foreach (var queue in queues)
                    Reroute(queue, ended);
                foreach (var message in messages.Values)
                {
                    if (message.Stage == MessageStage.Parked || (message.Stage == MessageStage.Waiting && changed.Routes.Holds))
                        Place(message);
                }
            }
        }

        budget.Apply(changed.Connections);
        foreach (var queue in queues)
            queue.Apply(changed);
        foreach (var message in ended)
            _ = EndRoutelessAsync(message);
    }

    /// <summary>Moves the jobs that no lane has begun to where they belong now. The scheduler's lock is held.</summary>
    /// <param name="ended">Takes messages of which only this was left.</param>
    private void Reroute(DestinationQueue queue, List<TrackedMessage> ended)
    {
        foreach (var job in queue.Drain())
        {
            var message = job.Message;
            if (options.Routes.Holds)
            {
                if (--message.OpenJobs == 0)
                    ended.Add(message);
                continue;
            }

            var recipients = message.Envelope.Recipients;
            var hops = Enumerable.Range(0, job.Recipients.IsDefault ? recipients.Length : job.Recipients.Length).Select(job.IndexOf)
                .GroupBy(i => options.Routes.Find(message.Envelope, recipients[i]))
                .Select(static group => (group.Key, Recipients: group.ToImmutableArray()))
                .ToList();
            message.OpenJobs += hops.Count - 1;
            foreach (var (hop, part) in hops)
                Enqueue(hop, hops.Count == 1 ? job : job with { Recipients = part });
        }
    }

    /// <summary>Its last jobs have no route any more: what came of the others counts, and where nothing did there was no attempt.</summary>
    private async Task EndRoutelessAsync(TrackedMessage message)
    {
        try
        {
            var wasTried = Array.Exists(message.Outcomes, static o => o is not null);
            if (wasTried)
            {
                await EndAttemptAsync(message).ConfigureAwait(false);
                return;
            }

            lock (gate)
                message.IsHoldWanted |= message.State.Held;
            while (!TryPlaceAfterAttempt(message))
                await StoreAsync(message, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception mistake)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "delivery-error", $"{message.Id}: {mistake}"));
            await EndByMistakeAsync(message, isOurs: OwnShortage.WordsOf(mistake) is not null).ConfigureAwait(false);
        }
    }
}
