using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// The queues of all next hops, and which of them a message goes to. Called with <see cref="DeliveryWork.Gate"/> held, but for
/// <see cref="Apply"/>.
/// </summary>
internal sealed class Destinations(DeliveryWork work, IDeliveryTransport transport, ILaneHost host) : IAsyncDisposable
{
    /// <summary>
    /// A destination may have this part of the places that are left, so that one more finds places whatever the others have.
    /// </summary>
    private const int Share = 4;

    private const int Least = 8;

    /// <summary>Who has not answered has so many waiting behind the one that is tried, whose outcome is for all.</summary>
    private const int LeastUnproven = 1;

    private static readonly FrozenDictionary<int, Outcome> Undecided = FrozenDictionary<int, Outcome>.Empty;

    private readonly Dictionary<NextHop, DestinationQueue> queues = [];
    private readonly LaneBudget budget = new(work.Options.Connections, work.Options.ConnectionsTried, work.Clock);
    private readonly Paces paces = work.Paces;

    public IEnumerable<DestinationStatistics> Statistics =>
        queues.Values.Select(static d => new DestinationStatistics(d.Hop.Name, d.Waiting, d.Lanes) { WaitsFor = d.WaitsFor })
            .OrderByDescending(static d => d.Waiting);

    /// <summary>The next hops that have a queue, by the routes that lead there, and their connections.</summary>
    public List<(string Route, int Connections)> Load
    {
        get
        {
            var load = new List<(string Route, int Connections)>(queues.Count);
            foreach (var (hop, queue) in queues)
                load.Add((work.Options.Routes.LabelOf(hop), queue.Lanes));
            return load;
        }
    }

    /// <summary>Whether mail whose destinations may not answer is counted apart: little mail finds room whatever it is.</summary>
    private bool AreDoubtsCounted => work.Messages.Count >= Math.Max(Least, work.Options.MessagesAtWork / Share);

    /// <summary>How many more messages a destination may have waiting; not above nothing where it has enough.</summary>
    public int RoomOf(IShelf queue) =>
        Math.Clamp(
            (work.Options.MessagesAtWork - work.Messages.Count) / Share,
            queue.IsProven || !AreDoubtsCounted ? Least : LeastUnproven,
            Math.Max(Least, work.Options.MessagesAtWorkPerDestination)) - queue.Waiting;

    /// <summary>Mail waits that there is no room for by <see cref="RoomFor"/>; without the gate.</summary>
    public void Crowd(bool isNew, bool isTried) => budget.Crowd(isNew, isTried);

    /// <summary>How many more messages of a kind may be at work.</summary>
    public int RoomFor(Doubt doubt) => Math.Max(1, work.Options.MessagesAtWork / Share) - work.Doubtful[(int)doubt];

    /// <summary>Whether nobody may answer at any of the destinations of a message.</summary>
    public Doubt DoubtOf(TrackedMessage message)
    {
        if (!AreDoubtsCounted)
            return Doubt.None;
        for (var i = 0; i < message.Envelope.Recipients.Length; i++)
        {
            if (message.State.Recipients[i].Status != RecipientStatus.Pending)
                continue;
            var hop = HopOf(message, i);
            if ((queues.TryGetValue(hop, out var queue) && queue.IsProven) || host.StandingOf(hop) == Standing.Proven)
                return Doubt.None;
        }

        return message.State.Attempts == 0 ? Doubt.New : Doubt.Tried;
    }

    /// <summary>
    /// Ends the attempt of a message that was tried before, where nobody answered at any of its destinations a moment ago: it would learn
    /// nothing. False, and nothing is changed, where it is to be tried.
    /// </summary>
    public bool TryPutOff(TrackedMessage message, int clockSettings)
    {
        if (message.State.Attempts == 0)
            return false;
        var outcomes = new Outcome?[message.Envelope.Recipients.Length];
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (message.State.Recipients[i].Status != RecipientStatus.Pending || IsSuspended(message, i))
                continue;
            if (host.WhyAway(HopOf(message, i)) is not { } away)
                return false;
            outcomes[i] = away.ForOthers();
        }

        (message.Outcomes, message.BegunUnder) = (outcomes, clockSettings);
        return true;
    }

    /// <summary>A destination or a rate that has enough waiting, where all destinations of the message have; else null.</summary>
    public IShelf? WhereFull(TrackedMessage message)
    {
        // There are fewer messages in all than one destination may have waiting.
        if (work.Messages.Count < Math.Min(Least, work.Options.MessagesAtWorkPerDestination))
            return null;
        IShelf? full = null;
        for (var i = 0; i < message.Envelope.Recipients.Length; i++)
        {
            if (message.State.Recipients[i].Status != RecipientStatus.Pending)
                continue;
            var hop = HopOf(message, i);
            if (WhereRateIsFull(hop, message.Envelope) is { } line)
            {
                full ??= line;
                continue;
            }

            if (!queues.TryGetValue(hop, out var queue) || RoomOf(queue) is var room && room > 0)
                return null;
            // A newsletter fills the places of a destination; nobody else's mail stands behind it for that.
            if (room > -Math.Max(Least, work.Options.MessagesAtWorkPerDestination) && queue.LetsIn(message.Envelope))
                return null;
            full ??= queue;
        }

        return full;
    }

    /// <summary>Begins an attempt: one job for each next hop, and sender, of the recipients still pending.</summary>
    /// <param name="decided">Recipients whose outcome is known without a next hop; null for none.</param>
    public void Dispatch(TrackedMessage message, int clockSettings, IReadOnlyDictionary<int, Outcome>? decided = null)
    {
        message.BegunUnder = clockSettings;
        message.Outcomes = new Outcome?[message.Envelope.Recipients.Length];
        foreach (var (recipient, outcome) in decided ?? Undecided)
            message.Outcomes[recipient] = outcome;
        if (message.Envelope.Recipients.Length == 1 && decided is null)
        {
            message.OpenJobs = 1;
            Enqueue(HopOf(message, 0), JobOf(message, recipients: default, SentAs(message, 0)));
            return;
        }

        var jobs = Enumerable.Range(0, message.Envelope.Recipients.Length)
            .Where(i => message.State.Recipients[i].Status == RecipientStatus.Pending
                && message.Outcomes[i] is null
                && !IsSuspended(message, i))
            .GroupBy(i => (Hop: HopOf(message, i), SentAs: SentAs(message, i)))
            .SelectMany(
                group => group.Chunk(message.Envelope.Parameters.Verp is null ? MostRecipients(group.Key.Hop) : 1),
                static (group, chunk) => (group.Key, Chunk: chunk.ToImmutableArray()))
            .ToList();
        message.OpenJobs = jobs.Count;
        foreach (var (to, recipients) in jobs)
            Enqueue(to.Hop, JobOf(message, recipients, to.SentAs));
    }

    /// <summary>Moves the jobs that no lane has begun to where they belong now.</summary>
    /// <returns>Messages of which no job is left, as there is no route or all is suspended.</returns>
    public List<TrackedMessage> Reroute()
    {
        var ended = new List<TrackedMessage>();
        foreach (var job in queues.Values.ToList().SelectMany(static queue => queue.Drain()))
        {
            var message = job.Message;
            if (work.Options.Routes.Holds)
            {
                if (--message.OpenJobs == 0)
                    ended.Add(message);
                continue;
            }

            var count = job.Recipients.IsDefault ? message.Envelope.Recipients.Length : job.Recipients.Length;
            var hops = Enumerable.Range(0, count).Select(job.IndexOf)
                .Where(i => !IsSuspended(message, i))
                .GroupBy(i => HopOf(message, i))
                .Select(static group => (group.Key, Recipients: group.ToImmutableArray()))
                .ToList();
            message.OpenJobs += hops.Count - 1;
            foreach (var (hop, part) in hops)
                Enqueue(hop, part.Length == count ? job : job with { Recipients = part });
            if (message.OpenJobs == 0)
                ended.Add(message);
        }

        return ended;
    }

    /// <summary>
    /// Takes back what no lane has begun of a message that is at work: an operator has another way for it, or none. True where nothing of
    /// it is under way; what is ends it else.
    /// </summary>
    public bool Recall(TrackedMessage message)
    {
        var recalled = 0;
        foreach (var (queue, jobs) in TakeBack(message))
        {
            recalled += jobs.Count;
            Drop(queue);
        }

        message.OpenJobs -= recalled;
        return recalled > 0 && message.OpenJobs == 0;
    }

    /// <summary>The same where nothing of it is under way; else false, and what waits goes on waiting.</summary>
    public bool TryRecall(TrackedMessage message)
    {
        var taken = TakeBack(message);
        if (message.OpenJobs == 0 || taken.Sum(static t => t.Jobs.Count) < message.OpenJobs)
        {
            foreach (var (queue, jobs) in taken)
                jobs.ForEach(queue.Return);
            return false;
        }

        message.OpenJobs = 0;
        taken.ForEach(t => Drop(t.Queue));
        return true;
    }

    /// <summary>Something of a message at work waits for a connection.</summary>
    public bool IsInLine(TrackedMessage message) =>
        HopsOf(message.Envelope, message.State).Any(hop => queues.TryGetValue(hop, out var queue) && queue.Holds(message));

    /// <summary>What a message waits for that is not tried, in words.</summary>
    public string WhyInLine(Envelope envelope, DeliveryState state)
    {
        NextHop? first = null;
        foreach (var hop in HopsOf(envelope, state))
        {
            first ??= hop;
            if (queues.TryGetValue(hop, out var queue) && queue.WaitsFor is { } why)
                return why;
        }

        return $"other mail for {first?.Name ?? "nobody"} goes before it";
    }

    /// <summary>Takes new limits; without the gate.</summary>
    public void Apply(DeliveryOptions changed)
    {
        List<DestinationQueue> all;
        lock (work.Gate)
            all = [.. queues.Values];
        paces.Apply(changed.Shaping);
        budget.Apply(changed.Connections, changed.ConnectionsTried);
        foreach (var queue in all)
            queue.Apply(changed);
    }

    /// <summary>The queue has neither jobs nor lanes.</summary>
    public void Drop(DestinationQueue queue)
    {
        if (queue is { Waiting: 0, Lanes: 0 } && queues.TryGetValue(queue.Hop, out var current) && current == queue)
            queues.Remove(queue.Hop);
    }

    public ValueTask DisposeAsync() => budget.DisposeAsync();

    public Task[] Stop() => [.. queues.Values.SelectMany(static queue => queue.Stop())];

    /// <summary>Where what still waits of a message goes, each once.</summary>
    private IEnumerable<NextHop> HopsOf(Envelope envelope, DeliveryState state) => Enumerable.Range(0, envelope.Recipients.Length)
        .Where(i => state.Recipients[i].Status == RecipientStatus.Pending)
        .Select(i => work.HopOf(envelope, state, i)).Distinct();

    private List<(DestinationQueue Queue, List<DeliveryJob> Jobs)> TakeBack(TrackedMessage message)
    {
        var taken = new List<(DestinationQueue, List<DeliveryJob>)>();
        foreach (var hop in HopsOf(message.Envelope, message.State))
        {
            if (queues.TryGetValue(hop, out var queue))
                taken.Add((queue, queue.Recall(message)));
        }

        return taken;
    }

    private int MostRecipients(NextHop hop)
    {
        var options = work.Options;
        var applying = options.Shaping.For(Paces.SubjectOf(hop, paces.HostOf(hop)));
        return ShapingTable.ValueOf(applying, ShapingKey.RecipientsPerTransaction, options.RecipientsPerTransaction);
    }

    /// <summary>
    /// A rate that enough waits for already, over whatever number of destinations. What is urgent is let in.
    /// </summary>
    private RateLine? WhereRateIsFull(NextHop hop, Envelope envelope) =>
        paces.Table.HasPaces && JobLine.UrgencyOf(envelope) != 0
            ? paces.WhereFull(hop, envelope, Math.Max(Least, work.Options.MessagesAtWorkPerDestination))
            : null;

    private bool IsSuspended(TrackedMessage message, int recipient) =>
        message.State.Via is null && work.Suspensions.Holds(message.Envelope.Recipients[recipient].Domain);

    private NextHop HopOf(TrackedMessage message, int recipient) => work.HopOf(message.Claim.Entry.Envelope, message.State, recipient);

    private Mailbox? SentAs(TrackedMessage message, int recipient) => work.SentAs(message.Envelope, recipient);

    private DeliveryJob JobOf(TrackedMessage message, ImmutableArray<int> recipients, Mailbox? sentAs) =>
        new(message, recipients, work.Clock.GetTimestamp()) { SentAs = sentAs };

    private void Enqueue(NextHop hop, DeliveryJob job)
    {
        if (!queues.TryGetValue(hop, out var queue))
            queues[hop] = queue = new DestinationQueue(hop, transport, work.Options, budget, host, paces, work.Clock);
        queue.Enqueue(job);
    }
}
