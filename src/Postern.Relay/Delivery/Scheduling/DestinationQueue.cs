using System.Diagnostics.CodeAnalysis;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// The jobs of one next hop, and the lanes that take them. One lane serves a destination that keeps up; others
/// are added while jobs pile up or wait too long, up to the limit. Where nobody has answered yet there is one.
/// </summary>
internal sealed class DestinationQueue(
    NextHop hop, IDeliveryTransport transport, DeliveryOptions settings, LaneBudget budget, ILaneHost host, Paces paces, TimeProvider clock)
    : IShelf
{
    /// <summary>Jobs a lane may have waiting before another is opened at once.</summary>
    private const int DepthPerLane = 16;

    /// <summary>Lanes that may be on their way at a time to a destination that answers; elsewhere a second would learn nothing.</summary>
    private const int MostNewLanes = 5;

    /// <summary>A lane carries so many messages, where there are as many, before another destination has its place.</summary>
    private const int MessagesPerTurn = 10;

    /// <summary>How long no lane is added after the destination refused one more connection.</summary>
    private static readonly TimeSpan GrowthPause = TimeSpan.FromSeconds(30);

    /// <summary>How long none is added after this server's limit for the host did not allow for one.</summary>
    private static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);

    /// <summary>A destination that takes long to answer is looked at so often at least.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly HopPace pace = new(clock);
    private volatile DeliveryOptions options = settings;
    private volatile bool isProven;
    private readonly JobLine ready = new();
    private readonly List<DeliveryJob> returned = [];
    private readonly List<DeliveryLane> lanes = [];
    private readonly List<DeliveryLane> idle = [];
    private readonly HashSet<DeliveryLane> leaving = [];
    private readonly HashSet<DeliveryLane> placeless = [];
    private QueueRates? rates;
    private DeliveryOptions? shapedBy;
    private string? shapedFor;
    private int mostLanes;
    private ITimer? growth;
    private string? shelf;
    private IHostTurn? turn;
    private IHostTurn? refused;
    private bool isTurnedAway;
    private bool isGrowthPlanned;
    private bool isKnownToRest;
    private long? growsAgainAt;
    private int untried;

    public NextHop Hop => hop;

    /// <summary>The name of the shelf in the spool where messages wait that this has no room for.</summary>
    public string Shelf => shelf ??= $"{hop.Name} {Guid.NewGuid():N}";

    public int Waiting
    {
        get
        {
            lock (gate)
                return ready.Count + returned.Count;
        }
    }

    /// <summary>So many of those that wait are each lane's: what one takes at once beyond that, others would send sooner.</summary>
    public int ShareOfEach
    {
        get
        {
            lock (gate)
                return Going / Math.Max(1, lanes.Count);
        }
    }

    /// <summary>Whether a message is let in although there is enough: it is urgent, or the first of its sender.</summary>
    public bool LetsIn(Envelope envelope)
    {
        lock (gate)
            return !ready.IsBehindOthers(envelope);
    }

    /// <summary>A job of the message is among those that wait.</summary>
    public bool Holds(TrackedMessage message)
    {
        lock (gate)
            return returned.Exists(job => job.Message == message) || ready.Holds(message);
    }

    public int Lanes
    {
        get
        {
            lock (gate)
                return lanes.Count;
        }
    }

    /// <summary>One of its lanes has delivered something.</summary>
    public bool IsProven => isProven;

    /// <summary>Why no lane is opened now; null where that is open.</summary>
    public string? WaitsFor
    {
        get
        {
            if ((Volatile.Read(ref turn) ?? Volatile.Read(ref refused)) is { } waited)
                return waited.Why;
            lock (gate)
                return rates?.Why
                    ?? (isTurnedAway && lanes.Count == 0 ? "as many connections are open as may be (delivery.connections)" : null);
        }
    }

    /// <summary>What a message needs may depend on the host that it goes to, which nobody knows yet.</summary>
    public bool IsHostUnknown
    {
        get
        {
            if (!IsPaced)
                return false;
            lock (gate)
                return Rates.IsHostUnknown;
        }
    }

    /// <summary>How long an open connection waits for another message; not at all where none may go before that is over.</summary>
    public TimeSpan IdleClose
    {
        get
        {
            if (!IsPaced)
                return options.IdleClose;
            lock (gate)
                return Rates.IsStuck && Rates.Rest > options.IdleClose ? TimeSpan.Zero : options.IdleClose;
        }
    }

    /// <summary>Takes new limits. Lanes beyond them end after their message; those that wait, now.</summary>
    public void Apply(DeliveryOptions changed)
    {
        DeliveryLane? free;
        bool isEmpty;
        lock (gate)
        {
            options = changed;
            while (lanes.Count > MostLanes && PopIdle() is { } lane)
                lane.Wake();
            rates?.Reset();
            isEmpty = lanes.Count + leaving.Count == 0 && ready.Count + returned.Count == 0;
            free = Going > 0 ? PopIdle() : null;
        }

        free?.Wake();
        if (isEmpty)
            host.OnIdle(this);
        else
            Grow();
    }

    /// <summary>True when there are more lanes than may be, or another destination has none, and this one is to end.</summary>
    public bool TryLeave(DeliveryLane lane)
    {
        lock (gate)
        {
            if (IsAmidTurn(lane))
                return false;
            if (lanes.Count <= MostLanes && !IsTurnOver(lane))
            {
                if (!budget.TryShrink(lane.Place))
                    return false;
                placeless.Add(lane);
            }

            lanes.Remove(lane);
            leaving.Add(lane);
            return true;
        }
    }

    public void Enqueue(DeliveryJob job)
    {
        DeliveryLane? free;
        lock (gate)
        {
            ready.Enqueue(job);
            untried += IsUntried(job);
            if (IsPaced)
                Rates.Join(job);
            free = Going > 0 ? PopIdle() : null;
        }

        if (free is null)
            Grow();
        else
            free.Wake();
    }

    /// <summary>The next job, where its rates allow for one.</summary>
    public bool TryTake([NotNullWhen(true)] out DeliveryJob? job)
    {
        lock (gate)
        {
            job = null;
            if (!IsPaced)
            {
                if (returned.Count > 0)
                    job = PopReturned(returned.Count - 1);
                else if (!ready.TryDequeue(out job))
                    return false;
            }
            else if (!Rates.IsStuck)
            {
                var last = returned.FindLastIndex(Rates.TryTake);
                if (last >= 0)
                    job = PopReturned(last);
                else if (!ready.TryDequeue(Rates.TryTake, out job) && ready.Count + returned.Count > 0)
                    Rates.Stick();
            }

            if (job is null)
                return false;
            if (job.CountedFor is not null)
                Rates.Part(job);
            untried -= IsUntried(job);
            return true;
        }
    }

    /// <summary>Puts a job that was not attempted back to the front.</summary>
    public void Return(DeliveryJob job)
    {
        lock (gate)
        {
            returned.Add(job);
            untried += IsUntried(job);
            if (job.ChargedFor is not null)
                Rates.Refund(job);
            if (IsPaced)
                Rates.Join(job);
            if (Going > 0)
                PopIdle()?.Wake();
        }
    }

    /// <summary>Nobody was there to send the job to: what it was let through by is for others.</summary>
    public void Refund(DeliveryJob job)
    {
        if (job.ChargedFor is null)
            return;
        lock (gate)
            Rates.Refund(job);
    }

    /// <summary>It turns out which host the job goes to; answers what it has to wait for there, null where it may go.</summary>
    public IHostTurn? Admit(DeliveryJob job, string found)
    {
        if (!IsPaced)
            return null;
        lock (gate)
            return Rates.Admit(job, found);
    }

    /// <summary>The destination takes no further connection beside those it has: none is added for a while.</summary>
    /// <param name="why">This server's limit for the host; null where the host refused one.</param>
    public void OnRefused(IHostTurn? why)
    {
        var pause = why is null ? GrowthPause : FullPause;
        Volatile.Write(ref refused, why);
        lock (gate)
            growsAgainAt = clock.GetTimestamp() + (long)(pause.TotalSeconds * clock.TimestampFrequency);
    }

    /// <summary>Opens no lane before the host has room for one.</summary>
    public void Await(IHostTurn host)
    {
        Volatile.Write(ref turn, host);
        host.Await(hop, OnTurn);
    }

    /// <summary>Takes all jobs that no lane has begun.</summary>
    public List<DeliveryJob> Drain()
    {
        lock (gate)
        {
            List<DeliveryJob> drained = [.. Enumerable.Reverse(returned), .. ready.Drain()];
            returned.Clear();
            untried = 0;
            if (rates is not null)
                drained.ForEach(rates.Part);
            return drained;
        }
    }

    /// <summary>Takes the jobs of one message that no lane has begun.</summary>
    public List<DeliveryJob> Recall(TrackedMessage message)
    {
        lock (gate)
        {
            var recalled = returned.FindAll(job => job.Message == message);
            returned.RemoveAll(recalled.Contains);
            recalled.AddRange(ready.TakeOf(message));
            foreach (var job in recalled)
            {
                untried -= IsUntried(job);
                rates?.Part(job);
            }

            return recalled;
        }
    }

    public bool HasOtherConnection(DeliveryLane lane)
    {
        lock (gate)
            return lanes.Exists(l => l != lane && l.IsConnected);
    }

    /// <summary>Marks a lane as waiting; false when there is work after all.</summary>
    public bool TryRest(DeliveryLane lane)
    {
        lock (gate)
        {
            if (Going > 0 || host.IsStopping)
                return false;
            idle.Add(lane);
            if (!isKnownToRest)
                budget.OnResting(this);
            isKnownToRest = true;
            return true;
        }
    }

    /// <summary>Another destination waits for a place.</summary>
    public bool IsPlaceWanted => budget.IsWanted;

    /// <summary>Takes one waiting lane out of service; false when none waits.</summary>
    public bool RetireOne()
    {
        DeliveryLane lane;
        lock (gate)
        {
            isKnownToRest = idle.Count > 1;
            if (idle.Count == 0)
                return false;
            lane = idle[0];
            idle.RemoveAt(0);
            if (isKnownToRest)
                budget.OnResting(this);
        }

        lane.Retire();
        return true;
    }

    /// <summary>Takes a waiting lane out of service; false when it has just been given work.</summary>
    public bool TryRetire(DeliveryLane lane)
    {
        lock (gate)
            return idle.Remove(lane);
    }

    /// <summary>A lane has delivered its first message: others may follow it.</summary>
    public void OnProved(DeliveryLane lane)
    {
        isProven = true;
        pace.OnFirst(lane.Place.Since);
        budget.Proved(lane.Place);
        host.OnProved(hop);
        Grow();
    }

    /// <summary>A lane has delivered other messages, all of them at a time.</summary>
    /// <param name="begunAt">A timestamp of the clock.</param>
    public void OnDelivered(long begunAt, int messages = 1) => pace.OnFurther(begunAt, messages);

    public void OnLaneEnded(DeliveryLane lane)
    {
        bool isEmpty;
        bool hasPlace;
        lock (gate)
        {
            leaving.Remove(lane);
            hasPlace = !placeless.Remove(lane);
            lanes.Remove(lane);
            idle.Remove(lane);
            isEmpty = lanes.Count + leaving.Count == 0 && ready.Count + returned.Count == 0;
            if (lanes.Count == 0)
                (growsAgainAt, isProven) = (null, false);
            if (isEmpty)
            {
                growth?.Dispose();
                growth = null;
                isGrowthPlanned = false;
                isKnownToRest = false;
                budget.Forget(this);
            }
        }

        if (hasPlace)
            budget.Return(lane.Place);
        if (isEmpty)
            host.OnIdle(this);
        else
            Grow();
    }

    /// <summary>Opens a lane where jobs need one, or looks again when they have waited long enough.</summary>
    public void Grow()
    {
        if (Add(out var hasNoPlace) is { } lane)
            lane.Start();
        else if (hasNoPlace)
            budget.FreeOne();
    }

    /// <summary>Lets the waiting lanes end; answers the tasks of all.</summary>
    public Task[] Stop()
    {
        lock (gate)
        {
            foreach (var lane in idle)
                lane.Wake();
            idle.Clear();
            return [.. lanes.Concat(leaving).Select(static l => l.Completion)];
        }
    }

    private DeliveryLane? Add(out bool hasNoPlace)
    {
        hasNoPlace = false;
        lock (gate)
        {
            var count = Going;
            if (count == 0
                || idle.Count > 0
                || host.IsStopping
                || turn is not null
                || lanes.Count >= MostLanes)
            {
                Volatile.Write(ref refused, null);
                return null;
            }

            // What there is may hang: nothing but time would have it looked at again.
            if (growsAgainAt > clock.GetTimestamp())
            {
                PlanGrowth(clock.GetElapsedTime(clock.GetTimestamp(), growsAgainAt.Value));
                return null;
            }

            var newLanes = lanes.Count(static l => l.IsNew);
            var isDeep = count > DepthPerLane * lanes.Count && newLanes == 0;
            if (lanes.Count > 0 && ((!isDeep && !HasWaitedLong()) || !pace.IsWorthAnother(count, lanes.Count)))
            {
                PlanGrowth(options.GrowthDelay);
                return null;
            }

            var standing = lanes.Exists(static l => l.IsConnected) ? Standing.Proven : host.StandingOf(hop);
            // After a start nothing is known: where all that waits has failed before, it may as well again.
            if (standing == Standing.Unknown && untried <= 0)
                standing = Standing.Away;
            if (newLanes >= (standing == Standing.Proven ? MostNewLanes : 1))
            {
                PlanGrowth(WaitedFor / 2);
                return null;
            }

            if (budget.TryTake(this, standing, waits: lanes.Count == 0) is not { } place)
            {
                hasNoPlace = isTurnedAway = lanes.Count == 0;
                if (!hasNoPlace)
                    PlanGrowth(WaitedFor / 2);
                return null;
            }

            var lane = new DeliveryLane(this, place, transport.OpenLane(hop), host, clock);
            lanes.Add(lane);
            isTurnedAway = false;
            Volatile.Write(ref refused, null);
            if (count > 1)
                PlanGrowth(options.GrowthDelay);
            return lane;
        }
    }

    private QueueRates Rates => rates ??= new QueueRates(paces, hop, OnTokens);

    /// <summary>Connections that it may have, as far as it is known where it leads to.</summary>
    private int MostLanes
    {
        get
        {
            if (ReferenceEquals(shapedBy, options) && (shapedFor is not null || !options.Shaping.AsksForHosts))
                return mostLanes;
            shapedBy = options;
            shapedFor = paces.HostOf(hop);
            return mostLanes = ShapingTable.ValueOf(
                options.Shaping.For(Paces.SubjectOf(hop, shapedFor)), ShapingKey.Connections, options.ConnectionsPerDestination);
        }
    }

    /// <summary>Something is said of rates, of whatever mail.</summary>
    private bool IsPaced => paces.Table.HasPaces;

    /// <summary>Jobs that wait for a lane alone, as far as is known.</summary>
    private int Going => rates is { IsStuck: true } && IsPaced ? 0 : ready.Count + returned.Count;

    private DeliveryJob PopReturned(int index)
    {
        var job = returned[index];
        returned.RemoveAt(index);
        return job;
    }

    /// <summary>There is enough of a rate that was waited for; false when nothing waits for it any more.</summary>
    private bool OnTokens()
    {
        DeliveryLane? free;
        bool isEmpty;
        lock (gate)
        {
            Rates.Free();
            isEmpty = ready.Count + returned.Count == 0;
            free = isEmpty ? null : PopIdle();
        }

        if (free is not null)
            free.Wake();
        else if (isEmpty)
            host.OnIdle(this);
        else
            Grow();
        return !isEmpty && !host.IsStopping;
    }

    /// <summary>The host has room; false when nothing waits for that any more.</summary>
    private bool OnTurn()
    {
        bool isEmpty;
        lock (gate)
        {
            turn = null;
            isEmpty = ready.Count + returned.Count == 0;
        }

        if (isEmpty)
            host.OnIdle(this);
        else
            Grow();
        return !isEmpty && !host.IsStopping;
    }

    /// <summary>
    /// A connection cost something: the only lane stays for some messages, and while it would have delivered all that waits sooner than the
    /// next one is there.
    /// </summary>
    private bool IsAmidTurn(DeliveryLane lane)
    {
        var count = Going;
        return lanes.Count == 1 && count > 0 && clock.GetElapsedTime(lane.Place.Since) < LaneBudget.LongTurn
            && (lane.Carried < MessagesPerTurn || !pace.IsWorthAnother(count, connections: 1));
    }

    private bool IsTurnOver(DeliveryLane lane) =>
        budget.IsTurnOver(lane.Place, isOneOfSeveral: lanes.Count > 1)
        || (lane.IsWanted && (lanes.Count > 1 || clock.GetElapsedTime(lane.Place.Since) >= LaneBudget.Turn));

    /// <summary>1 for mail that was never tried.</summary>
    private static int IsUntried(DeliveryJob job) => job.Message.State.Attempts == 0 ? 1 : 0;

    private DeliveryLane? PopIdle()
    {
        if (idle.Count == 0)
            return null;
        var lane = idle[^1];
        idle.RemoveAt(idle.Count - 1);
        return lane;
    }

    private bool HasWaitedLong() => WaitedFor >= options.GrowthDelay;

    /// <summary>How long the first that waits has.</summary>
    private TimeSpan WaitedFor => clock.GetElapsedTime(returned.Count > 0 ? returned[^1].ReadyAt : ready.OldestAt);

    private void PlanGrowth(TimeSpan pause)
    {
        if (isGrowthPlanned)
            return;
        isGrowthPlanned = true;
        growth ??= clock.CreateTimer(
            static queue => ((DestinationQueue)queue!).OnGrowthDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        growth.Change(
            pause < options.GrowthDelay ? options.GrowthDelay : pause < LongestLook ? pause : LongestLook, Timeout.InfiniteTimeSpan);
    }

    private void OnGrowthDue()
    {
        lock (gate)
            isGrowthPlanned = false;
        Grow();
    }
}
