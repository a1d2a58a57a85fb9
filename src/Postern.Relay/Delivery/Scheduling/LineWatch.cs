using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Looks after mail whose turn has not come, at work or on a shelf of the spool: its sender hears of the delay when it is late, what has no
/// time left is given up, as after an attempt. No message has a timer: all are looked at, once a minute, and for a hundredth of the time
/// at most. Deadlines that senders set are kept to the second, where there is that much time.
/// </summary>
internal sealed class LineWatch : IAsyncDisposable
{
    private const int Page = 1000;
    private const int AtOnce = 16;
    private const int Share = 100;

    private static readonly TimeSpan Usual = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After a start, and after the clock was set, so long nothing is late or over: nobody knows what kept it from its turn before.
    /// </summary>
    private static readonly TimeSpan Chance = TimeSpan.FromHours(1);

    /// <summary>Never, in times that can be added to any date there is.</summary>
    private static readonly TimeSpan Never = TimeSpan.FromDays(365_000);

    private readonly Lock gate = new();
    private readonly DeliveryWork work;
    private readonly Destinations destinations;
    private readonly Timekeeper time;
    private readonly AttemptEnd end;
    private readonly Alarm alarm;
    private Task looking = Task.CompletedTask;
    private DateTimeOffset ringsAt = DateTimeOffset.MaxValue;
    private DateTimeOffset notBefore = DateTimeOffset.MinValue;
    private bool isLooking;
    private int seenUnder;
    private long certainFrom;

    public LineWatch(DeliveryWork work, Destinations destinations, Timekeeper time, AttemptEnd end)
    {
        (this.work, this.destinations, this.time, this.end) = (work, destinations, time, end);
        alarm = new Alarm(work.Clock, Wake);
    }

    /// <summary>What waiting for its turn comes to now.</summary>
    private enum Due
    {
        Nothing,

        /// <summary>Its sender is to hear of the delay.</summary>
        Word,

        End,
    }

    /// <summary>Once, when <see cref="DeliveryWork.Claims"/> is there.</summary>
    public void Start()
    {
        certainFrom = work.Clock.GetTimestamp();
        lock (gate)
            Plan(Sooner(ringsAt, work.Now + Usual));
    }

    /// <summary>How often all that waits was looked at, to the end.</summary>
    public int Looks { get; private set; }

    public bool IsLooking
    {
        get
        {
            lock (gate)
                return isLooking;
        }
    }

    /// <summary>What tells how long looking takes: this machine's matter, whatever the clock of mail says.</summary>
    public TimeProvider Machine { get; set; } = TimeProvider.System;

    /// <summary>A message has come whose sender gave it so much time.</summary>
    public void Note(DeliveryDeadline deadline)
    {
        lock (gate)
        {
            if (deadline.At < ringsAt)
                Plan(deadline.At);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await alarm.DisposeAsync().ConfigureAwait(false);
        Task last;
        lock (gate)
            last = looking;
        await last.ConfigureAwait(false);
    }

    private void Plan(DateTimeOffset at)
    {
        lock (gate)
        {
            ringsAt = at > notBefore ? at : notBefore;
            if (!isLooking && !work.IsStopping)
                alarm.Set(ringsAt);
        }
    }

    private void Wake()
    {
        lock (gate)
        {
            if (isLooking || work.IsStopping || work.Claims is null)
                return;
            (isLooking, ringsAt) = (true, DateTimeOffset.MaxValue);
            looking = Task.Run(LookAsync);
        }
    }

    private async Task LookAsync()
    {
        var (next, took) = (DateTimeOffset.MaxValue, TimeSpan.Zero);
        try
        {
            (next, took) = await WalkAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (work.IsStopping)
        {
        }
        catch (Exception mistake)
        {
            work.Tell("delivery-error", $"what waits for its turn cannot be looked at: {mistake}");
        }

        lock (gate)
        {
            var now = work.Now;
            var pause = took * Share;
            notBefore = now + (pause > Shortest ? pause : Shortest);
            var usual = now + Usual;
            isLooking = false;
            Plan(Sooner(Sooner(next, ringsAt), usual));
            Looks++;
        }
    }

    private static DateTimeOffset Sooner(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    /// <summary>Looks at all that waits. The first deadline that is still to come, and how long looking took.</summary>
    private async ValueTask<(DateTimeOffset Next, TimeSpan Took)> WalkAsync()
    {
        var (next, took) = (DateTimeOffset.MaxValue, TimeSpan.Zero);
        var settings = await time.LookAsync().ConfigureAwait(false);
        if (settings != seenUnder)
            (seenUnder, certainFrom) = (settings, work.Clock.GetTimestamp());
        var isCertain = work.Clock.GetElapsedTime(certainFrom) >= Chance;
        QueueId? after = null;
        while (!work.IsStopping && !work.Options.Routes.Holds)
        {
            var (begun, now) = (Machine.GetTimestamp(), work.Now);
            var page = await work.Spool.ListAsync(QueueFilter.Everything, after, Page, work.Stopping.Token).ConfigureAwait(false);
            if (page.Count == 0)
                break;
            var due = new List<SpoolEntry>();
            foreach (var entry in page)
            {
                if (!IsInLine(entry, now))
                    continue;
                if (DueOf(entry.Envelope, entry.State, now, isCertain) != Due.Nothing)
                    due.Add(entry);
                else if (entry.Envelope.Deadline is { At: var deadline } && deadline > now)
                    next = Sooner(next, deadline);
            }

            after = page[^1].Envelope.Id;
            took += Machine.GetElapsedTime(begun);
            if (due.Count > 0)
                await TendAsync(due, isCertain).ConfigureAwait(false);
        }

        return (next, took);
    }

    /// <summary>Nothing but its turn keeps it from being tried.</summary>
    public bool IsInLine(SpoolEntry entry, DateTimeOffset now) =>
        !work.Options.Routes.Holds
        && entry.State is { Held: false, Return: null, IsFinished: false }
        && entry.State.NextAttempt <= now
        && !time.IsHeldBySender(entry)
        && !work.Suspensions.HoldsAll(entry.Envelope, entry.State);

    private Due DueOf(Envelope envelope, DeliveryState state, DateTimeOffset now, bool isCertain)
    {
        if (envelope.Deadline?.IsOver(now) == true)
            return Due.End;
        // What is due a moment ago is about to be tried, and what comes of that says more.
        var hasWaited = isCertain && now - state.NextAttempt >= Usual;
        return hasWaited && now >= work.Options.Retry.EndOf(envelope.ReleasedAt, envelope.Sender.IsNull) ? Due.End
            : AttemptResult.DelaysToTell(envelope, state, now, hasWaited ? work.Options.Retry.Warn : Never) != DelayReports.None
                && IsAnyToHear(envelope, state) ? Due.Word
            : Due.Nothing;
    }

    private static bool IsAnyToHear(Envelope envelope, DeliveryState state)
    {
        for (var i = 0; i < state.Recipients.Length; i++)
        {
            if (state.Recipients[i].Status == RecipientStatus.Pending && ReportWish.WantsDelay(envelope.ParametersOf(i)))
                return true;
        }

        return false;
    }

    /// <summary>Takes messages out of their lines, as far as nothing of them is under way, and does what is due.</summary>
    private async ValueTask TendAsync(List<SpoolEntry> entries, bool isCertain)
    {
        var (taken, free) = (new List<TrackedMessage>(), new List<QueueId>());
        var why = new Dictionary<QueueId, string>(entries.Count);
        lock (work.Gate)
        {
            // Before any is taken out: a line that is empty waits for nothing.
            foreach (var entry in entries)
                why[entry.Envelope.Id] = destinations.WhyInLine(entry.Envelope, entry.State);
            foreach (var entry in entries)
            {
                var id = entry.Envelope.Id;
                work.Messages.TryGetValue(id, out var message);
                // Only a time that it was tried under may give it up.
                if (entry.Envelope.Deadline is not null
                    && ((message is null ? work.Memories.GetValueOrDefault(id) : message.Known)?.TriedUnder ?? 0) != seenUnder)
                    continue;
                if (message is null)
                    free.Add(id);
                else if (destinations.TryRecall(message))
                    taken.Add(message);
            }
        }

        foreach (var claim in await work.Claims.ClaimFreeAsync(free, work.Stopping.Token).ConfigureAwait(false))
        {
            var message = work.Track(claim);
            message.Outcomes = new Outcome?[message.Envelope.Recipients.Length];
            message.BegunUnder = seenUnder;
            lock (work.Gate)
                work.Begin(message);
            taken.Add(message);
        }

        await Parallel.ForEachAsync(
            taken,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (message, _) => await TendAsync(message, why[message.Id], isCertain).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task TendAsync(TrackedMessage message, string why, bool isCertain)
    {
        var (envelope, state) = (message.Envelope, message.State);
        var isUntried = Array.TrueForAll(message.Outcomes, static o => o is null);
        var due = state.Held ? Due.Nothing : DueOf(envelope, state, work.Now, isCertain);
        if (due == Due.Nothing)
        {
            await end.EndRecalledAsync(message).ConfigureAwait(false);
            return;
        }

        for (var i = 0; i < message.Outcomes.Length; i++)
        {
            if (state.Recipients[i].Status == RecipientStatus.Pending)
                message.Outcomes[i] ??= NoTurn(why);
        }

        // Where other recipients of it were tried, that attempt ends with this.
        await (due == Due.Word && isUntried ? end.TellOfDelayAsync(message) : end.PutOffAsync(message)).ConfigureAwait(false);
    }

    private static Outcome.Deferred NoTurn(string why) => new(Remote: null, $"its turn has not come: {why}", Tls: null)
    {
        After = AfterDeferral.NextAttempt,
        Cause = DeliveryCause.NoTurn,
        Told = "its turn has not come: more mail waits here for the same destination than may go there",
    };
}
