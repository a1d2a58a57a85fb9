using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Notices that the wall clock was set, and lets nothing wait for a time of the old one. Holds that senders asked for last as long as was
/// left of them; pauses of the schedule are over.
/// </summary>
internal sealed class Timekeeper(DeliveryWork work)
{
    private const int Page = 1000;

    private readonly ClockWatch watch = new(work.Clock);
    private TimeSpan longestPause = LongestOf(work.Options.Retry);

    /// <summary>How often the clock was found set.</summary>
    public int Settings => watch.Settings;

    /// <summary>Pauses of an older schedule are none of a clock that was set.</summary>
    public void Apply(RetrySchedule retry)
    {
        lock (work.Gate)
            longestPause = LongestOf(retry) is var longest && longest > longestPause ? longest : longestPause;
    }

    /// <summary>At the start: whether something has happened later than now, by all that is known.</summary>
    public void Compare(DateTimeOffset newestMessage, DateTimeOffset newestEvent)
    {
        if ((watch.WhyNotAfter(newestMessage, "the newest message in the spool, which came")
            ?? watch.WhyNotAfter(newestEvent, "the newest event in the log, which was written")) is { } jump)
            Tell(jump);
    }

    /// <summary>Looks at the clock, and answers how often it was set.</summary>
    public async ValueTask<int> LookAsync()
    {
        if (watch.Look() is { } jump)
        {
            Tell(jump);
            List<(Envelopes.QueueId Id, DateTimeOffset At)> held;
            lock (work.Gate)
                held =
                [
                    .. work.Memories.Where(static m => m.Value.Hold is not null).Select(static m => (m.Key, m.Value.Hold!.EndAfterJump())),
                ];
            foreach (var (id, at) in held)
                await work.Spool.RescheduleAsync([id], at, CancellationToken.None).ConfigureAwait(false);
            await HurryAsync(IsBeyondSchedule, int.MaxValue, CancellationToken.None).ConfigureAwait(false);
        }

        return watch.Settings;
    }

    /// <summary>Its time was written under a clock that has been set back since: no pause of the schedule is so long.</summary>
    public bool IsBeyondSchedule(SpoolEntry entry) => entry.State.Attempts > 0 && entry.State.NextAttempt - work.Now > longestPause;

    /// <summary>Its sender wants it held, and that time is not over.</summary>
    public bool IsHeldBySender(SpoolEntry entry)
    {
        if (entry is not { State.Attempts: 0, Envelope.HeldUntil: { } until })
            return false;
        lock (work.Gate)
            return work.Memories.TryGetValue(entry.Envelope.Id, out var memory)
                && memory.Hold is { } hold
                && (hold.HasJumped ? hold.EndAfterJump() > work.Now : until > work.Now);
    }

    /// <summary>Makes due what fits, of all that waits for its time; answers how many those were.</summary>
    public async ValueTask<int> HurryAsync(Func<SpoolEntry, bool> fits, int most, CancellationToken ct)
    {
        var count = 0;
        Envelopes.QueueId? after = null;
        while (count < most
            && !work.IsStopping
            && await work.Spool.ListAsync(QueueFilter.Everything, after, Page, ct).ConfigureAwait(false) is { Count: > 0 } page)
        {
            var ids = page.Where(fits).Select(static entry => entry.Envelope.Id).Take(most - count).ToList();
            if (ids.Count > 0)
                count += await work.Spool.RescheduleAsync(ids, work.Now, ct).ConfigureAwait(false);
            after = page[^1].Envelope.Id;
        }

        return count;
    }

    /// <summary>With the jitter.</summary>
    private static TimeSpan LongestOf(RetrySchedule retry) => (retry.Most > retry.First ? retry.Most : retry.First) * 1.2;

    private void Tell(string jump) => work.Tell("clock_jumped", $"{jump}; nothing is given up before it has been tried under the new time");
}
