using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery;

/// <summary>
/// Brings every message of the spool to its end: one attempt after another by the schedule, one outcome per recipient, and a bounce for
/// those that failed. What must survive lives in the spool; this only knows what to do next, and learns it from the spool at start.
/// </summary>
/// <remarks>
/// At least once: a connection lost between the end of data and its answer, or a crash between that answer and its record, means a
/// second copy, never a lost message. All members may be called from any thread.
/// </remarks>
public sealed partial class DeliveryScheduler : ILaneHost, IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<QueueId, TrackedMessage> messages = [];
    private readonly Dictionary<NextHop, DestinationQueue> destinations = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource abandoned = new();
    private readonly ISpool spool;
    private readonly IDeliveryTransport transport;

    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly LaneBudget budget;
    private readonly RetryQueue retries;
    private readonly StatusReporter reporter;
    private readonly ClockWatch watch;
    private readonly Outages outages;
    private readonly OwnSubmissions submissions = new();
    private volatile DeliveryOptions options;
    private TimeSpan longestPause;
    private volatile bool isStopping;

    /// <param name="random">For the jitter; null: the shared one.</param>
    public DeliveryScheduler(ISpool spool, IDeliveryTransport transport, DeliveryOptions options, IAuditLog audit, TimeProvider clock, Random? random = null)
    {
        this.spool = spool;
        this.transport = transport;
        this.options = options;
        this.audit = audit;
        this.clock = clock;
        this.random = random ?? Random.Shared;
        longestPause = LongestPause(options.Retry);
        watch = new ClockWatch(clock);
        budget = new LaneBudget(options.Connections);
        retries = new RetryQueue(clock, DispatchDue);
        reporter = new StatusReporter(spool, options, submissions, audit, clock);
        outages = new Outages(transport, options, clock, OnBack);
    }

    /// <summary>Where messages go now; set as by <see cref="Apply"/>.</summary>
    public RouteTable Routes
    {
        get => options.Routes;
        set => Apply(options with { Routes = value });
    }

    /// <summary>Destinations that nobody answers at, looked at now and then.</summary>
    internal int DestinationsAway => outages.Count;

    internal int ProbesUnderWay => outages.UnderWay;

    bool ILaneHost.IsStopping => isStopping;

    CancellationToken ILaneHost.Stopping => stopping.Token;

    CancellationToken ILaneHost.Abandoned => abandoned.Token;

    /// <summary>Takes up what the spool holds and what it will commit. Once.</summary>
    /// <param name="newest">When something was last written down, as far as known: the clock should stand behind it.</param>
    public async ValueTask StartAsync(DateTimeOffset? newest, CancellationToken ct)
    {
        var entries = await spool.ListAsync(QueueFilter.Everything, after: null, int.MaxValue, ct).ConfigureAwait(false);
        if ((watch.WhyNotAfter(entries.Count == 0 ? DateTimeOffset.MinValue : entries.Max(static e => e.Envelope.ArrivedAt), "the newest message in the spool, which came")
             ?? watch.WhyNotAfter(newest ?? DateTimeOffset.MinValue, "the newest event in the log, which was written")) is { } jump)
            audit.Append(new ServerEvent(clock.GetUtcNow(), "clock_jumped", $"{jump}; nothing is given up before it has been tried under the new time"));
        spool.Committed += TrackNew;
        foreach (var entry in await spool.ListAsync(QueueFilter.Everything, after: null, int.MaxValue, ct).ConfigureAwait(false))
        {
            submissions.Note(entry.Envelope);
            Track(entry, triedUnder: 0);
        }
    }

    /// <summary>
    /// Begins no further attempt, calls off what the next hop cannot have yet, and waits for the answers to messages sent whole: without them a second
    /// copy would go out. After <paramref name="grace"/> cuts those off too, which loses nothing: what has no recorded outcome is tried again.
    /// </summary>
    /// <param name="now">Cuts them off at once.</param>
    public async Task StopAsync(TimeSpan grace, CancellationToken now = default)
    {
        isStopping = true;
        await stopping.CancelAsync().ConfigureAwait(false);
        spool.Committed -= TrackNew;
        await retries.DisposeAsync().ConfigureAwait(false);
        await outages.DisposeAsync().ConfigureAwait(false);
        Task[] lanes;
        lock (gate)
            lanes = [.. destinations.Values.SelectMany(static d => d.Stop())];
        var all = Task.WhenAll(lanes);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(now);
        if (await Task.WhenAny(all, Task.Delay(grace, clock, deadline.Token)).ConfigureAwait(false) != all)
            await abandoned.CancelAsync().ConfigureAwait(false);
        await deadline.CancelAsync().ConfigureAwait(false);
        await all.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (!isStopping)
            await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        stopping.Dispose();
        abandoned.Dispose();
    }

    /// <summary>One outcome for every recipient of the job.</summary>
    private static Outcome[] Same(DeliveryJob job, Outcome outcome) =>
        Enumerable.Repeat(outcome, job.Recipients.IsDefault ? job.Message.Envelope.Recipients.Length : job.Recipients.Length).ToArray();

    /// <summary>With the jitter.</summary>
    private static TimeSpan LongestPause(RetrySchedule retry) => (retry.Most > retry.First ? retry.Most : retry.First) * 1.2;

    private void TrackNew(SpoolEntry entry)
    {
        submissions.Note(entry.Envelope);
        Track(entry, watch.Settings);
    }

    private void Track(SpoolEntry entry, int triedUnder)
    {
        var message = new TrackedMessage(entry) { TriedUnder = triedUnder, Hold = SenderHold.Of(entry.Envelope, clock) };
        lock (gate)
        {
            if (!isStopping && messages.TryAdd(entry.Envelope.Id, message))
                Place(message);
        }
    }

    /// <summary>Puts a message where its state says it belongs.</summary>
    private void Place(TrackedMessage message)
    {
        if (message is { Hold: { HasJumped: true } hold, State.Attempts: 0 } && hold.EndAfterJump() is var released && released > message.State.NextAttempt)
            message.State = message.State with { NextAttempt = released };
        if (message.State.Held)
            Hold(message);
        else if (!options.Routes.Holds && message.State.NextAttempt > clock.GetUtcNow() && !IsBeyondSchedule(message))
            Wait(message, message.State);
        else
            Dispatch(message);
    }

    /// <summary>For an operator; what the server holds has one last attempt at its time.</summary>
    private void Hold(TrackedMessage message)
    {
        message.Stage = MessageStage.Held;
        message.Turn++;
        if (message.State.HeldByServerAt is not null)
            retries.Add(message);
    }

    /// <summary>Its time was written under a clock that has been set back since: no pause of the schedule is so long.</summary>
    private bool IsBeyondSchedule(TrackedMessage message)
    {
        var now = clock.GetUtcNow();
        return message.State.Attempts > 0 && message.State.NextAttempt - now > longestPause;
    }

    /// <summary>Looks at the clock; tells when it was set, and lets nothing wait for a time of the old one. Answers how often it was set.</summary>
    private int Look()
    {
        if (watch.Look() is { } jump)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "clock_jumped", $"{jump}; nothing is given up before it has been tried under the new time"));
            lock (gate)
            {
                foreach (var message in messages.Values)
                {
                    var released = message.Hold?.EndAfterJump();
                    if (isStopping || message.Stage != MessageStage.Waiting)
                        continue;
                    if (released is { } at && message.State.Attempts == 0)
                        Wait(message, message.State with { NextAttempt = at });
                    else if (IsBeyondSchedule(message))
                        Dispatch(message);
                }
            }
        }

        return watch.Settings;
    }

    private void Wait(TrackedMessage message, DeliveryState state)
    {
        message.State = state;
        message.Stage = MessageStage.Waiting;
        message.Turn++;
        retries.Add(message);
    }

    private void DispatchDue()
    {
        Look();
        lock (gate)
        {
            if (isStopping)
                return;
            foreach (var message in retries.TakeDue())
            {
                if (message.IsHeldByServer)
                    Dispatch(message);
                else
                    Place(message);
            }
        }
    }

    /// <summary>Somebody answers at a destination again: what was put off while nobody did is tried now, not each at its own hour.</summary>
    private void OnBack(NextHop hop, TimeSpan after)
    {
        var count = 0;
        var now = clock.GetUtcNow();
        lock (gate)
        {
            foreach (var message in messages.Values)
            {
                if (isStopping || message.Stage != MessageStage.Waiting || message.State.Attempts == 0 || message.IsHeldBySender(now) || !WaitsFor(message, hop))
                    continue;
                Dispatch(message);
                count++;
            }
        }

        if (count > 0)
            audit.Append(new ServerEvent(now, "destination_back", string.Create(CultureInfo.InvariantCulture, $"{hop.Name} answers again after {after.TotalMinutes:0} minutes; {count} messages that waited for it are tried now")));
    }

    private bool WaitsFor(TrackedMessage message, NextHop hop)
    {
        var recipients = message.Envelope.Recipients;
        for (var i = 0; i < recipients.Length; i++)
        {
            if (message.State.Recipients[i].Status == RecipientStatus.Pending && options.Routes.Find(message.Envelope, recipients[i]).Equals(hop))
                return true;
        }

        return false;
    }

    /// <summary>Begins an attempt: one job for each next hop of the recipients still pending.</summary>
    private void Dispatch(TrackedMessage message)
    {
        if (options.Routes.Holds)
        {
            message.Stage = MessageStage.Parked;
            return;
        }

        message.Stage = MessageStage.Active;
        message.BegunUnder = watch.Settings;
        message.Turn++;
        message.Outcomes = new Outcome?[message.Envelope.Recipients.Length];
        if (message.Envelope.Recipients.Length == 1)
        {
            message.OpenJobs = 1;
            Enqueue(options.Routes.Find(message.Envelope, message.Envelope.Recipients[0]), new DeliveryJob(message, Recipients: default, clock.GetTimestamp()));
            return;
        }

        var jobs = message.Envelope.Recipients
            .Select(static (recipient, index) => (recipient, index))
            .Where(r => message.State.Recipients[r.index].Status == RecipientStatus.Pending)
            .GroupBy(r => options.Routes.Find(message.Envelope, r.recipient), static r => r.index)
            .SelectMany(group => group.Chunk(options.RecipientsPerTransaction), static (group, chunk) => (group.Key, Chunk: chunk.ToImmutableArray()))
            .ToList();
        message.OpenJobs = jobs.Count;
        foreach (var (hop, recipients) in jobs)
            Enqueue(hop, new DeliveryJob(message, recipients, clock.GetTimestamp()));
    }

    private void Enqueue(NextHop hop, DeliveryJob job)
    {
        if (!destinations.TryGetValue(hop, out var queue))
            destinations[hop] = queue = new DestinationQueue(hop, transport, options, budget, this, clock);
        queue.Enqueue(job);
    }

    /// <summary>Tells of delivered and failed recipients as they come, each once; of deferred ones when the time of the next attempt is known.</summary>
    private void Note(DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (outcomes[i] is not Outcome.Deferred && job.Message.Outcomes[job.IndexOf(i)] is null)
                Note(job.Message, job.IndexOf(i), outcomes[i], job.Message.State.Attempts + 1, next: null);
        }
    }

    private void Note(TrackedMessage message, int recipient, Outcome outcome, int attempt, DateTimeOffset? next)
    {
        var came = outcome switch
        {
            Outcome.Delivered => DeliveryOutcome.Delivered,
            Outcome.Failed => DeliveryOutcome.Failed,
            _ => DeliveryOutcome.Deferred,
        };
        audit.Append(new DeliveryEvent(clock.GetUtcNow(), message.Id.ToString(), message.Envelope.Recipients[recipient].Address, came, attempt, outcome.Reply)
        {
            RecipientIndex = recipient,
            Remote = outcome.Remote,
            Tls = outcome.Tls,
            NextAttempt = next,
        });
    }

    private async ValueTask EndAttemptAsync(TrackedMessage message)
    {
        if (message.IsRemoved)
            return;
        var envelope = message.Envelope;
        if (ReportWish.HasNoneOnSuccess(envelope) && Array.TrueForAll(message.Outcomes, static o => o is Outcome.Delivered))
        {
            await spool.RemoveAsync(message.Id, CancellationToken.None).ConfigureAwait(false);
            Forget(message);
            return;
        }

        var before = message.State;
        var now = clock.GetUtcNow();
        var next = Next(envelope, before, now);
        var isOurs = Array.TrueForAll(message.Outcomes, static o => o is null or Outcome.Deferred { IsOurs: true });
        // Our shortage is over soon or never, and gives nothing up; nor does a clock that was set while the attempt was under way.
        var isUndecided = isOurs || message.BegunUnder != Look();
        var isMistake = Array.Exists(message.Outcomes, static o => o is Outcome.Deferred { IsMistake: true });
        if (isUndecided)
            next = now + options.Retry.Pause(attempts: 1, random.NextDouble());
        else
            message.TriedUnder = message.BegunUnder;
        // The last attempt of what the server held: there is no other.
        if (isMistake && !isUndecided && before.HeldByServerAt is not null)
            next = null;
        var result = AttemptResult.Of(envelope, before, message.Outcomes, now, next, isUndecided ? TimeSpan.MaxValue : options.Retry.Warn);
        var state = isOurs ? result.State with { Attempts = before.Attempts } : result.State;
        for (var i = 0; i < message.Outcomes.Length; i++)
        {
            if (message.Outcomes[i] is Outcome.Deferred deferred)
                Note(message, i, deferred, state.Attempts, next);
        }

        // The report is durable before the failure is recorded: a crash between them reports twice rather than never.
        var isReported = await ReportAsync(envelope, result.Failures).ConfigureAwait(false);
        if (!isReported)
            state = result.Unreported(before, next ?? now + options.Retry.Pause(state.Attempts, random.NextDouble()));
        await ReportAsync(envelope, result.Relayed).ConfigureAwait(false);
        if (!result.Delayed.IsEmpty && await ReportAsync(envelope, result.Delayed).ConfigureAwait(false))
            state = state with { Reported = state.Reported | result.DelaysToReport };
        if (state.IsFinished)
        {
            await spool.RemoveAsync(message.Id, CancellationToken.None).ConfigureAwait(false);
            Forget(message);
            return;
        }

        message.Shortages = isOurs ? message.Shortages + 1 : 0;
        if (message.Shortages == options.ShortagesBeforeWord)
            await TellOfShortageAsync(message).ConfigureAwait(false);
        if (!isOurs)
            message.InternalErrors = isMistake ? message.InternalErrors + 1 : 0;
        if (before.HeldByServerAt is { } since && (isUndecided || !isReported))
            state = state with { Held = true, HeldByServerAt = since };
        else if (isMistake && message.InternalErrors >= options.InternalErrorsBeforeHold)
            state = await HoldHereAsync(message, state, now).ConfigureAwait(false);
        else
            state = state with { Held = false, HeldByServerAt = null };

        lock (gate)
        {
            if (message.IsRemoved)
                return;
            message.IsHoldWanted |= state.Held;
            message.State = state with { Held = message.IsHoldWanted };
        }

        await StoreAsync(message, CancellationToken.None).ConfigureAwait(false);
        while (!TryPlaceAfterAttempt(message))
            await StoreAsync(message, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>
    /// Holds what fails here again and again, until an operator or the end of the time that any message has. Its postmaster hears of it first; while
    /// that cannot be stored, it is tried on by the schedule.
    /// </summary>
    private async ValueTask<DeliveryState> HoldHereAsync(TrackedMessage message, DeliveryState state, DateTimeOffset now)
    {
        var until = now + options.Retry.GiveUp;
        var why = message.Outcomes.FirstOrDefault(static o => o is Outcome.Deferred { IsMistake: true })?.Reply ?? "what follows an attempt failed";
        if (!await reporter.TellPostmasterAsync(message.Envelope, why, until, Statistics().HeldByServer + 1, CancellationToken.None).ConfigureAwait(false))
            return state with { Held = false, HeldByServerAt = null };
        audit.Append(new ServerEvent(now, "message_held", string.Create(
            CultureInfo.InvariantCulture, $"{message.Id}: {message.InternalErrors} attempts in a row failed on this server; tried a last time at {until.ToUniversalTime():yyyy-MM-dd HH:mm:ss} UTC, unless it is released before")));
        return state with { Held = true, HeldByServerAt = now, NextAttempt = until };
    }

    /// <summary>It is tried on, and never given up for this; but somebody must know. While that cannot be stored either, it is tried with the next attempt.</summary>
    private async ValueTask TellOfShortageAsync(TrackedMessage message)
    {
        var why = message.Outcomes.FirstOrDefault(static o => o is Outcome.Deferred { IsOurs: true })?.Reply ?? "this server ran short";
        if (!await reporter.TellPostmasterAsync(message.Envelope, why, until: null, Statistics().HeldByServer, CancellationToken.None).ConfigureAwait(false))
            message.Shortages--;
    }

    /// <summary>The next attempt; the deadline that a sender set is one of its times. Null to give up.</summary>
    private DateTimeOffset? Next(Envelope envelope, DeliveryState before, DateTimeOffset now)
    {
        if (envelope.Deadline?.IsOver(now) == true)
            return null;
        var next = options.Retry.Next(before.Attempts + 1, envelope.ReleasedAt, now, random.NextDouble());
        return envelope.Deadline is { At: var deadline } && now < deadline && deadline < next ? deadline : next;
    }

    /// <summary>True also when there is nothing to report.</summary>
    private ValueTask<bool> ReportAsync(Envelope envelope, ImmutableArray<RecipientReport> reports) =>
        reports.IsEmpty ? new(true) : reporter.ReportAsync(envelope, reports, CancellationToken.None);

    /// <summary>False when an operator held or released the message while its state was being stored: that must be stored first.</summary>
    private bool TryPlaceAfterAttempt(TrackedMessage message)
    {
        lock (gate)
        {
            if (message.IsRemoved)
                return true;
            if (message.State.Held != message.IsHoldWanted)
            {
                message.State = message.State with { Held = message.IsHoldWanted, HeldByServerAt = null };
                return false;
            }

            message.IsHoldWanted = false;
            Place(message);
            return true;
        }
    }

    /// <summary>
    /// An attempt whose end went wrong here: what was delivered stays delivered. Our shortage counts for nothing, all else as an attempt and
    /// towards a hold.
    /// </summary>
    /// <param name="held">What the hold of the server makes of the state, where there have been enough mistakes; else null.</param>
    private void EndByMistake(TrackedMessage message, bool isOurs, DeliveryState? held)
    {
        if (message.IsRemoved || message.OpenJobs > 0)
            return;                             // the last job will end it
        var before = message.State;
        var attempts = before.Attempts + (isOurs ? 0 : 1);
        var pause = options.Retry.Pause(Math.Max(attempts, 1), random.NextDouble());
        // What was held for its mistakes already stays so: it cannot even be given up.
        var since = held?.HeldByServerAt ?? before.HeldByServerAt;
        message.State = before with
        {
            Attempts = attempts,
            NextAttempt = held?.NextAttempt ?? clock.GetUtcNow() + (before.HeldByServerAt is null || isOurs ? pause : options.Retry.GiveUp),
            Held = message.IsHoldWanted || since is not null,
            HeldByServerAt = message.IsHoldWanted ? null : since,
            Recipients = [.. message.State.Recipients.Select((r, i) => message.Outcomes[i] is Outcome.Delivered(_, var reply, _) ? new RecipientState(RecipientStatus.Delivered, reply) : r)],
        };
        message.IsHoldWanted = false;
        if (!message.State.IsFinished)
            Place(message);
    }

    private ValueTask StoreDeliveredAsync(TrackedMessage message, DeliveryJob job, IReadOnlyList<Outcome> outcomes)
    {
        lock (gate)
        {
            var recipients = message.State.Recipients.ToBuilder();
            for (var i = 0; i < outcomes.Count; i++)
            {
                if (outcomes[i] is Outcome.Delivered delivered)
                    recipients[job.IndexOf(i)] = new RecipientState(RecipientStatus.Delivered, delivered.Reply);
            }

            message.State = message.State with { Recipients = recipients.ToImmutable() };
        }

        return StoreAsync(message, CancellationToken.None);
    }

    /// <summary>Writes the state as it is when the write begins. A spool that cannot is reported; the state in memory goes on.</summary>
    private async ValueTask StoreAsync(TrackedMessage message, CancellationToken ct)
    {
        SemaphoreSlim writing;
        lock (gate)
            writing = message.Writing ??= new SemaphoreSlim(1, 1);
        await writing.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            DeliveryState state;
            lock (gate)
                state = message.State;
            await spool.UpdateAsync(message.Id, state, ct).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            audit.Append(new ServerEvent(clock.GetUtcNow(), "spool-error", $"{message.Id}: {e.Message}"));
        }
        finally
        {
            writing.Release();
        }
    }

    private void Forget(TrackedMessage message)
    {
        lock (gate)
        {
            message.IsRemoved = true;
            messages.Remove(message.Id);
        }
    }
}
