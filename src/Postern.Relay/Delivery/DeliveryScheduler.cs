using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery;

/// <summary>
/// Brings every message of the spool to its end: one attempt after another by the schedule, one outcome per recipient, and a bounce for
/// those that failed. The spool holds the messages and says what is due; this claims what it has room to work on, and knows no other
/// message.
/// </summary>
/// <remarks>
/// At least once: a connection lost between the end of data and its answer, or a crash between that answer and its record, means a
/// second copy, never a lost message. All members may be called from any thread.
/// </remarks>
public sealed class DeliveryScheduler : IAsyncDisposable
{
    private const int Page = 1000;

    /// <summary>What the disk did not take is tried to be stored again, where its next attempt is not sooner.</summary>
    private static readonly TimeSpan StorePause = TimeSpan.FromMinutes(5);

    private readonly DeliveryWork work;
    private readonly IDeliveryTransport transport;
    private readonly Timekeeper time;
    private readonly StatusReporter reporter;
    private readonly StateRecorder recorder;
    private readonly AttemptEnd end;
    private readonly Destinations destinations;
    private readonly Expander expander;
    private readonly DueMail due;
    private readonly LineWatch line;
    private readonly RetryQueue unrecorded;
    private readonly Outages outages;
    private readonly QueueOperations operations;
    private ImmutableArray<RecentMarks> traces = [];

    /// <param name="random">For the jitter; null: the shared one.</param>
    public DeliveryScheduler(
        ISpool spool, IDeliveryTransport transport, DeliveryOptions options, IAuditLog audit, TimeProvider clock, Random? random = null)
    {
        this.transport = transport;
        work = new DeliveryWork(spool, options, audit, clock, random ?? Random.Shared)
        {
            Paces = new Paces(options.Shaping, transport.HostOf, clock),
        };
        Held = new HeldMail(spool, clock, () => work.Options.Held);
        transport.Tell = work.Tell;
        time = new Timekeeper(work);
        reporter = new StatusReporter(spool, options, audit, clock);
        recorder = new StateRecorder(work);
        unrecorded = new RetryQueue(clock, message => _ = TryUnrecordedAsync(message));
        end = new AttemptEnd(work, time, reporter, recorder, OnDone);
        var attempts = new Attempts(work, time, recorder, end);
        destinations = attempts.Destinations = new Destinations(work, transport, attempts);
        outages = attempts.Outages = new Outages(transport, options, clock, (hop, after) => _ = OnBackAsync(hop, after));
        expander = new Expander(work, destinations, time, recorder, reporter, end);
        due = attempts.Due = new DueMail(work, destinations, time)
        {
            GiveUp = end.ReturnAsync,
            PutOff = end.PutOffAsync,
            Expander = expander,
        };
        operations = new QueueOperations(work, time, destinations, end);
        line = new LineWatch(work, destinations, time, end);
    }

    /// <summary>Where messages go now; set as by <see cref="Apply"/>.</summary>
    public RouteTable Routes
    {
        get => work.Options.Routes;
        set => Apply(work.Options with { Routes = value });
    }

    /// <summary>What operators have suspended. Set before the start.</summary>
    public Suspensions Suspensions
    {
        get => work.Suspensions;
        set => work.Suspensions = value;
    }

    /// <summary>
    /// Suspends domains, or resumes them; how many are different now. What waits for a connection goes back, what is being sent comes to
    /// its end, and what is for several domains goes to the others.
    /// </summary>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public async ValueTask<int> SuspendAsync(IReadOnlyCollection<Domain> domains, bool suspends)
    {
        var ended = new List<TrackedMessage>();
        int changed;
        lock (work.Gate)
        {
            changed = work.Suspensions.Change(domains, suspends);
            if (changed > 0 && suspends && !work.IsStopping)
                ended = destinations.Reroute();
        }

        foreach (var message in ended)
            _ = end.EndRecalledAsync(message);
        if (changed > 0 && !suspends)
            await due.ClearSuspendedAsync().ConfigureAwait(false);
        return changed;
    }

    /// <summary>Destinations that nobody answers at, looked at now and then.</summary>
    internal int DestinationsAway => outages.Count;

    /// <summary>How much mail is held for its senders.</summary>
    internal HeldMail Held { get; }

    /// <summary>Hears of recipients that were refused for a reason that stays, on any thread: return at once.</summary>
    internal Action<HardBounce>? OnHardBounce
    {
        set => work.OnHardBounce = value;
    }

    /// <summary>Keeps the content of messages whose delivery is over, where they have that. Set before the start.</summary>
    internal IContentKeeper? Keeper
    {
        set => work.Ended.Keeper = value;
    }

    /// <summary>
    /// The files that remember what was lately sent where, and taken from whom, for mail that comes round. Set before the start.
    /// </summary>
    internal (string Sent, string Taken) Traces
    {
        set
        {
            traces = [Open(value.Sent, SentBefore.Slots), Open(value.Taken, OwnSubmissions.Slots)];
            (work.Sent, reporter.Submissions) = (new SentBefore(traces[0]), new OwnSubmissions(traces[1]));
        }
    }

    /// <summary>What looks after all that waits for its turn.</summary>
    internal LineWatch Line => line;

    internal int ProbesUnderWay => outages.UnderWay;

    /// <summary>Tells the log, and the postmaster by mail, of something that only a person can mend.</summary>
    /// <param name="what">A word for the log.</param>
    public async Task TellPostmasterAsync(string what, string subject, params IReadOnlyList<string> lines)
    {
        work.Tell(what, string.Join(' ', lines.Where(static l => l.Length > 0)));
        if (await PostmasterWord.SendAsync(work.Spool, work.Options, work.Clock, subject, lines, CancellationToken.None)
            .ConfigureAwait(false) is { } why)
            work.Tell("spool-error", $"the word to the postmaster is not stored: {why}");
    }

    /// <summary>Tells a user by mail of something that concerns him.</summary>
    internal async Task TellAsync(Mailbox to, string subject, IReadOnlyList<string> lines)
    {
        if (await PostmasterWord.SendAsync(work.Spool, work.Options, work.Clock, subject, lines, CancellationToken.None, to)
            .ConfigureAwait(false) is { } why)
            work.Tell("spool-error", $"the word to {to} is not stored: {why}");
    }

    /// <summary>Takes up what the spool holds and what it will commit. Once.</summary>
    /// <param name="newest">When something was last written down, as far as known: the clock should stand behind it.</param>
    public async ValueTask StartAsync(DateTimeOffset? newest, CancellationToken ct)
    {
        work.Claims = await work.Spool.OpenClaimsAsync(ct).ConfigureAwait(false);
        work.Spool.Committed += OnCommitted;
        work.Spool.DueEarlier += due.Wake;
        var newestMessage = DateTimeOffset.MinValue;
        var early = new List<QueueId>();
        QueueId? after = null;
        while (await work.Spool.ListAsync(QueueFilter.Everything, after, Page, ct).ConfigureAwait(false) is { Count: > 0 } page)
        {
            foreach (var entry in page)
            {
                newestMessage = entry.Envelope.ArrivedAt > newestMessage ? entry.Envelope.ArrivedAt : newestMessage;
                Remember(entry);
                if (time.IsBeyondSchedule(entry))
                    early.Add(entry.Envelope.Id);
            }

            after = page[^1].Envelope.Id;
        }

        time.Compare(newestMessage, newest ?? DateTimeOffset.MinValue);
        await work.Spool.RescheduleAsync(early, work.Now, ct).ConfigureAwait(false);
        due.Start();
        line.Start();
    }

    /// <summary>
    /// Takes new settings at once. What waits for a connection goes where the new routes lead, and what is being sent comes to its end. A
    /// next hop that is equal to an old one keeps its queue and its connections; one that no route names any more closes them when they
    /// have nothing to do. Messages that wait for their time keep it; without any route they are parked, and go on waiting when there is
    /// one again.
    /// </summary>
    public void Apply(DeliveryOptions changed)
    {
        transport.Apply(changed);
        reporter.Apply(changed);
        outages.Apply(changed);
        time.Apply(changed.Retry);
        var ended = new List<TrackedMessage>();
        lock (work.Gate)
        {
            var areRoutesNew = !ReferenceEquals(work.Options.Routes, changed.Routes);
            work.Options = changed;
            if (areRoutesNew && !work.IsStopping)
                ended = destinations.Reroute();
        }

        destinations.Apply(changed);
        foreach (var message in ended)
            _ = end.EndRecalledAsync(message);
        _ = due.ClearShelvesAsync().AsTask();
    }

    /// <summary>
    /// Begins no further attempt, calls off what the next hop cannot have yet, and waits for the answers to messages sent whole: without
    /// them a second copy would go out. After <paramref name="grace"/> cuts those off too, which loses nothing: what has no recorded
    /// outcome is tried again.
    /// </summary>
    /// <param name="now">Cuts them off at once.</param>
    public async Task StopAsync(TimeSpan grace, CancellationToken now = default)
    {
        work.IsStopping = true;
        await work.Stopping.CancelAsync().ConfigureAwait(false);
        work.Spool.Committed -= OnCommitted;
        work.Spool.DueEarlier -= due.Wake;
        await line.DisposeAsync().ConfigureAwait(false);
        await due.DisposeAsync().ConfigureAwait(false);
        await expander.DisposeAsync().ConfigureAwait(false);
        await unrecorded.DisposeAsync().ConfigureAwait(false);
        await outages.DisposeAsync().ConfigureAwait(false);
        Task[] lanes;
        lock (work.Gate)
            lanes = destinations.Stop();
        await destinations.DisposeAsync().ConfigureAwait(false);
        await work.Paces.DisposeAsync().ConfigureAwait(false);
        var all = Task.WhenAll(lanes);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(now);
        if (await Task.WhenAny(all, Task.Delay(grace, work.Clock, deadline.Token)).ConfigureAwait(false) != all)
            await work.Abandoned.CancelAsync().ConfigureAwait(false);
        await deadline.CancelAsync().ConfigureAwait(false);
        await all.ConfigureAwait(false);
        await transport.CloseAsync().ConfigureAwait(false);
        if (work.Claims is not null)
            await work.Claims.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (!work.IsStopping)
            await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        foreach (var marks in traces)
            marks.Dispose();
        work.Dispose();
    }

    /// <summary>
    /// Makes a message wait for <see cref="ReleaseAsync"/>; the server's own hold becomes one that does not end by itself.
    /// </summary>
    public ValueTask<QueueCommandOutcome> HoldAsync(QueueId id, CancellationToken ct) => operations.HoldAsync(id, ct);

    /// <summary>
    /// Ends an operator's hold: the message is tried at once, or at the release that its sender asked for (FUTURERELEASE), when that is
    /// still to come. Where no operator holds it, it ends the sender's.
    /// </summary>
    public ValueTask<QueueCommandOutcome> ReleaseAsync(QueueId id, CancellationToken ct) => operations.ReleaseAsync(id, ct);

    /// <summary>
    /// Tries a message now instead of at its time. One that is held, by an operator or for its sender, stays: mail sent too early cannot be
    /// called back.
    /// </summary>
    public ValueTask<QueueCommandOutcome> RetryNowAsync(QueueId id, CancellationToken ct)
    {
        outages.Allow();
        return operations.RetryNowAsync(id, ct);
    }

    /// <summary>
    /// Tries now, instead of at their time, at most <paramref name="most"/> messages with a recipient in the domain, and says how many that
    /// were. What its sender wants to be held (FUTURERELEASE) stays.
    /// </summary>
    /// <param name="andBelow">Also those with a recipient in a domain below it.</param>
    public ValueTask<int> RetryNowAsync(Domain domain, bool andBelow, int most, CancellationToken ct)
    {
        outages.Allow();
        return operations.RetryNowAsync(domain, andBelow, most, ct);
    }

    /// <summary>Forgets a message without telling its sender. One under way may still be delivered.</summary>
    public ValueTask<QueueCommandOutcome> RemoveAsync(QueueId id, CancellationToken ct) => operations.RemoveAsync(id, ct);

    /// <summary>
    /// What waits for its turn of a message that was changed in the spool is taken back, and goes as it is there; what is being sent comes
    /// to its end first.
    /// </summary>
    public async ValueTask RecallAsync(QueueId id) => await operations.RecallAsync(id).ConfigureAwait(false);

    /// <summary>
    /// What a message waits for whose time has come: a rate, a connection, other mail before it. Null where that has not come, and where it
    /// is being sent.
    /// </summary>
    public string? WaitsFor(SpoolEntry entry)
    {
        if (!line.IsInLine(entry, work.Now))
            return null;
        lock (work.Gate)
            return work.Messages.TryGetValue(entry.Envelope.Id, out var message) && !destinations.IsInLine(message)
                ? null
                : destinations.WhyInLine(entry.Envelope, entry.State);
    }

    public DeliveryStatistics Statistics()
    {
        var tally = work.Spool.Tally;
        var waiting = Math.Max(0, work.Spool.Count - tally.Held - tally.Claimed);
        var isParked = work.Options.Routes.Holds;
        lock (work.Gate)
            return new DeliveryStatistics(
                isParked ? 0 : waiting,
                tally.Claimed,
                tally.Held,
                isParked ? waiting : 0,
                tally.HeldByServer,
                [.. destinations.Statistics]);
    }

    /// <summary>The next hops that have mail at work or connections: the route that leads there, as it is counted, and how many.</summary>
    internal IReadOnlyList<(string Route, int Connections)> Load()
    {
        lock (work.Gate)
            return destinations.Load;
    }

    /// <summary>What is due has been looked at, or nothing was, within this time.</summary>
    internal bool Progresses(TimeSpan within) => due.Silence < within;

    /// <summary>What mail to a domain is held to, by the settings of now, and what is slowed or waited for.</summary>
    /// <param name="tenant">Null for mail of none.</param>
    public async Task<ShapingReport> ExplainShapingAsync(Domain domain, string? tenant, CancellationToken ct)
    {
        var report = await new ShapingCheck(work.Options, work.Clock).RunAsync(domain, tenant, ct).ConfigureAwait(false);
        var now = new List<ShapingReportNow>();
        foreach (var name in report.Hosts.Concat(report.Scopes))
        {
            if (transport.LookAt(name) is { } look && (look.Connections > 0 || look.SlowFor is not null))
                now.Add(new ShapingReportNow(
                    name,
                    look.Why is { } why
                        ? $"{why}; that is over"
                        : string.Create(CultureInfo.InvariantCulture, $"{look.Connections} connections, {look.Most} at most now"),
                    work.Now + look.SlowFor));
        }

        now.AddRange(work.Paces.Look(report.Needs, work.Now));
        lock (work.Gate)
            now.AddRange(
                destinations.Statistics.Where(d => d.Name == report.Hop && d.WaitsFor is not null).Select(
                    static d => new ShapingReportNow(
                        d.Name, string.Create(CultureInfo.InvariantCulture, $"{d.Waiting} transactions wait: {d.WaitsFor}"), Until: null)));
        return report with { IsServers = true, Now = [.. now] };
    }

    /// <summary>
    /// Tells the sender of a message that was never queued for which recipients it was refused, as of any failure.
    /// </summary>
    /// <param name="original">With those recipients alone.</param>
    /// <param name="replies">One for each of them.</param>
    /// <param name="header">The header section, which is returned.</param>
    /// <returns>False when the report could not be stored.</returns>
    internal async ValueTask<bool> ReportRefusedAsync(
        Envelope original, ImmutableArray<Reply> replies, ReadOnlyMemory<byte> header, CancellationToken ct)
    {
        var outcome = await reporter.ReportAsync(
            original,
            [
                .. original.Recipients.Select((recipient, i) => new RecipientReport(
                    recipient,
                    original.ParametersOf(i),
                    ReportAction.Failed,
                    (replies[i].Status ?? new EnhancedStatus(5, 0, 0)).ToString(),
                    Remote: null,
                    replies[i].ToString())),
            ],
            work.Now,
            static (draft, envelope, state) => draft.CommitAsync(envelope, state, CancellationToken.None),
            ct,
            new ReturnedContent(header, IsFull: false)).ConfigureAwait(false);
        return outcome.IsDone;
    }

    private RecentMarks Open(string file, int slots) => RecentMarks.Open(
        file, slots, work.Clock, why => work.Tell("spool-error", $"mail that comes round after a restart may not be known: {why}"));

    private void OnCommitted(SpoolEntry entry) => Remember(entry);

    private void Remember(SpoolEntry entry)
    {
        var envelope = entry.Envelope;
        Held.Note(entry);
        reporter.Submissions.Note(envelope);
        if (envelope.Deadline is { } deadline)
            line.Note(deadline);
        var (hold, triedUnder) = (SenderHold.Of(envelope, work.Clock), envelope.Deadline is null ? 0 : time.Settings);
        if (hold is null && triedUnder == 0)
            return;
        lock (work.Gate)
        {
            if (!work.Messages.ContainsKey(envelope.Id))
                work.Memories.TryAdd(envelope.Id, new MessageMemory { Hold = hold, TriedUnder = triedUnder });
        }
    }

    private void OnDone(TrackedMessage message)
    {
        if (message is { IsUnrecorded: true, IsRemoved: false })
            unrecorded.Add(message, message.State.Held ? work.Now + StorePause : message.State.NextAttempt);
        due.OnRoom();
    }

    /// <summary>The disk may take it now; if not, the message is tried on by what is known of it here.</summary>
    private async Task TryUnrecordedAsync(TrackedMessage message)
    {
        await recorder.StoreAsync(message).ConfigureAwait(false);
        if (message.IsRemoved)
            return;
        if (!message.IsUnrecorded)
        {
            await work.ReleaseAsync(message, shelf: null).ConfigureAwait(false);
            return;
        }

        lock (work.Gate)
        {
            if (work.IsStopping)
                return;
            if (message.State.Held || work.Options.Routes.Holds || work.Suspensions.HoldsAll(message.Envelope, message.State))
                unrecorded.Add(message, work.Now + StorePause);
            else
                destinations.Dispatch(message, time.Settings);
        }
    }

    /// <summary>
    /// Somebody answers at a destination again: what was put off while nobody did is tried now, not each at its own hour.
    /// </summary>
    private async Task OnBackAsync(NextHop hop, TimeSpan after)
    {
        try
        {
            var count = await time.HurryAsync(
                entry => entry.State.Attempts > 0 && !time.IsHeldBySender(entry) && WaitsFor(entry, hop),
                int.MaxValue,
                work.Stopping.Token).ConfigureAwait(false);
            if (count > 0)
                work.Tell(
                    "destination_back",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{hop.Name} answers again after {after.TotalMinutes:0} minutes; "
                            + $"{count} messages that waited for it are tried now"));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or IOException)
        {
            // They are tried at their own time.
        }
    }

    private bool WaitsFor(SpoolEntry entry, NextHop hop)
    {
        var recipients = entry.Envelope.Recipients;
        for (var i = 0; i < recipients.Length; i++)
        {
            if (entry.State.Recipients[i].Status == RecipientStatus.Pending && work.HopOf(entry.Envelope, entry.State, i).Equals(hop))
                return true;
        }

        return false;
    }
}

/// <summary>What an operator's command on one message came to.</summary>
public enum QueueCommandOutcome
{
    Done,

    NotFound,

    /// <summary>It is being sent; a hold or a removal takes effect when that ends.</summary>
    UnderWay,

    /// <summary>The message is held: release it.</summary>
    Held,

    /// <summary>No route is configured.</summary>
    NoRoute,
}

/// <summary>What the scheduler has before it at one moment.</summary>
/// <param name="Waiting">Messages whose next attempt is in the future.</param>
/// <param name="Active">Messages in delivery or next in line.</param>
/// <param name="Held">Messages that an operator or the server holds.</param>
/// <param name="Parked">Messages that no route is configured for.</param>
/// <param name="HeldByServer">Those of the held ones that the server holds, as attempts failed here again and again.</param>
public sealed record DeliveryStatistics(
    int Waiting, int Active, int Held, int Parked, int HeldByServer, ImmutableArray<DestinationStatistics> Destinations);

/// <summary>One destination in use.</summary>
/// <param name="Waiting">Transactions that wait for a connection.</param>
/// <param name="Connections">Connections open or being opened.</param>
public sealed record DestinationStatistics(string Name, int Waiting, int Connections)
{
    /// <summary>Why no further connection is opened now; null where that is open.</summary>
    public string? WaitsFor { get; init; }
}
