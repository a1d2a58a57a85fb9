namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// The lanes that may exist at a time over all destinations. Those that get nowhere never take what those that deliver need: one that has
/// delivered nothing after <see cref="Patience"/> is counted apart as soon as another needs its place, destinations that have not answered
/// yet have three quarters of the places at most, and those where nobody answered last have half. A destination without a lane that is
/// turned away is called when there is room; others end lanes that wait for work, or take turns, so that it soon is. May be called from any
/// thread.
/// </summary>
internal sealed class LaneBudget : IAsyncDisposable
{
    /// <summary>So long a lane to a destination that is well takes to deliver its first message, about.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>So long the only lane of a destination goes on while another destination has none.</summary>
    public static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    /// <summary>
    /// So long a connection that gets nowhere is kept where there are as many of those as may be, and others wait. Hosts that pause before
    /// their greeting do so for less.
    /// </summary>
    public static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(10);

    /// <summary>The same where only destinations wait where nobody answered last.</summary>
    public static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(30);

    /// <summary>So long it may go on where it carries few messages in that time.</summary>
    public static readonly TimeSpan LongTurn = TimeSpan.FromSeconds(10);

    private const int OfCrowd = 100;

    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly Line[] waiting = [new(), new(), new()];
    private readonly Line resting = new();
    private readonly LinkedList<Place> young = new();
    private readonly LinkedList<Place> aside = new();
    private readonly int[] taken = new int[3];
    private readonly Alarm alarm;
    private int most;
    private int mostHanging;
    private int hanging;
    private int cutting;
    private int crowd;
    private int crowdOfAway;
    private volatile bool isWanted;
    private volatile bool isWantedByAway;
    private volatile bool isCrowded;

    /// <param name="most">Lanes that deliver or have just begun.</param>
    /// <param name="mostHanging">Further lanes that have begun and got nowhere yet.</param>
    public LaneBudget(int most, int mostHanging, TimeProvider clock)
    {
        (this.most, this.mostHanging, this.clock) = (most, mostHanging, clock);
        alarm = new Alarm(clock, CallNext);
    }

    /// <summary>A destination that is not known to be away has no lane, as there is no place for it.</summary>
    public bool IsWanted => isWanted;

    /// <summary>A place for a lane; null where there is none.</summary>
    /// <param name="waits">It is called when there is one.</param>
    public Place? TryTake(DestinationQueue queue, Standing standing, bool waits)
    {
        lock (gate)
        {
            if (!HasRoom(standing))
                SetAside();
            if (HasRoom(standing))
            {
                var place = new Place(standing, clock.GetTimestamp());
                taken[(int)standing]++;
                place.Node = young.AddLast(place);
                return place;
            }

            if (!waits)
                return null;
            waiting[(int)standing].Add(queue);
            Plan();
        }

        CutOff();
        return null;
    }

    /// <summary>The lane has delivered: what holds it up from now on is work.</summary>
    public void Proved(Place place)
    {
        lock (gate)
        {
            GiveBack(place);
            place.IsHanging = false;
            place.Standing = Standing.Proven;
            taken[(int)Standing.Proven]++;
        }

        CallNext();
    }

    /// <summary>Takes new limits; queues that were turned away are called where there is room now.</summary>
    public void Apply(int changed, int changedHanging)
    {
        lock (gate)
            (most, mostHanging) = (changed, changedHanging);
        CallNext();
    }

    /// <summary>
    /// Mail waits that is not at work, as there is too much for destinations that may not answer: it counts as some destinations in line.
    /// </summary>
    /// <param name="isNew">There is mail among it that was never tried.</param>
    /// <param name="isTried">There is mail among it that was tried before.</param>
    public void Crowd(bool isNew, bool isTried)
    {
        lock (gate)
        {
            (crowd, crowdOfAway) = (isNew ? OfCrowd : 0, isTried ? OfCrowd : 0);
            isCrowded = isNew || isTried;
            Plan();
        }

        CutOff();
    }

    /// <summary>Gives the place back when there are more lanes than may be; true when the lane is to end.</summary>
    public bool TryShrink(Place place)
    {
        lock (gate)
        {
            if (Taken <= most || place.IsHanging)
                return false;
            GiveBack(place);
            return true;
        }
    }

    /// <summary>Whether a lane is to end, as it had its turn and a destination waits that has none and could have its place.</summary>
    public bool IsTurnOver(Place place, bool isOneOfSeveral)
    {
        if (!isWanted || (!isOneOfSeveral && clock.GetElapsedTime(place.Since) < Turn))
            return false;
        lock (gate)
            return !place.IsHanging && (Taken >= most || place.Standing != Standing.Proven);
    }

    /// <summary>Gives the place back, to the first queue in line that still needs one.</summary>
    public void Return(Place place)
    {
        lock (gate)
            GiveBack(place);
        CallNext();
    }

    /// <summary>The queue has lanes that wait for work.</summary>
    public void OnResting(DestinationQueue queue)
    {
        lock (gate)
            resting.Add(queue);
    }

    /// <summary>It has neither lanes nor jobs.</summary>
    public void Forget(DestinationQueue queue)
    {
        lock (gate)
            resting.Remove(queue);
    }

    /// <summary>Ends a lane that waits for work, where a place is wanted. Without the gate of any queue.</summary>
    public void FreeOne()
    {
        while (isWanted && NextResting() is { } queue)
        {
            if (queue.RetireOne())
                return;
        }

        DestinationQueue? NextResting()
        {
            lock (gate)
                return resting.Take();
        }
    }

    public ValueTask DisposeAsync() => alarm.DisposeAsync();

    private int Taken => taken[0] + taken[1] + taken[2];

    private bool HasRoom(Standing standing) => Taken < most && standing switch
    {
        Standing.Proven => true,
        Standing.Unknown => HasRoomForUnproven,
        _ => HasRoomForUnproven && taken[(int)Standing.Away] < Math.Max(1, most / 2),
    };

    private bool HasRoomForUnproven => taken[(int)Standing.Unknown] + taken[(int)Standing.Away] < most - (most / 4);

    private void GiveBack(Place place)
    {
        if (place.Node is { List: { } list } node)
            list.Remove(node);
        place.Node = null;
        cutting -= place.IsCut ? 1 : 0;
        place.IsCut = false;
        if (place.IsHanging)
            hanging--;
        else
            taken[(int)place.Standing]--;
    }

    /// <summary>Counts apart those that have got nowhere for so long.</summary>
    private void SetAside()
    {
        while (hanging < mostHanging && young.First is { Value: var place } && clock.GetElapsedTime(place.Since) >= Patience)
        {
            GiveBack(place);
            place.IsHanging = true;
            hanging++;
            place.Node = aside.AddLast(place);
        }
    }

    /// <summary>Looks again when the oldest that has got nowhere may be counted apart; what may be now already is.</summary>
    private void Plan()
    {
        var isShort = false;
        for (var standing = Standing.Proven; standing <= Standing.Away; standing++)
        {
            isShort |= !waiting[(int)standing].IsEmpty && !HasRoom(standing);
            if (standing == Standing.Unknown)
                isWanted = isShort;
        }

        isWantedByAway = !waiting[(int)Standing.Away].IsEmpty && !HasRoom(Standing.Away);

        if (isShort && hanging < mostHanging && young.First is { Value: var place })
            alarm.Set(At(place, Patience));
        else if ((isWanted || isWantedByAway || isCrowded) && aside.First is { Value: var oldest })
        {
            var patience = isWanted || crowd > 0 ? LongPatience : LongestPatience;
            if (clock.GetElapsedTime(oldest.Since) < patience)
                alarm.Set(At(oldest, patience));
        }
    }

    private long At(Place place, TimeSpan age) => place.Since + (long)(age.TotalSeconds * clock.TimestampFrequency);

    private void CallNext()
    {
        while (NextInLine() is { } next)
            next.Grow();
        CutOff();
    }

    /// <summary>
    /// Ends what has got nowhere for long, as many as destinations wait; sooner where they are not known to be away. Without the gate of
    /// any queue: what ends gives its place back later.
    /// </summary>
    private void CutOff()
    {
        if (!isWanted && !isWantedByAway && !isCrowded)
            return;
        List<Place>? cut = null;
        lock (gate)
        {
            if (isCrowded)
                SetAside();
            var wanted = waiting[(int)Standing.Proven].Count + waiting[(int)Standing.Unknown].Count + crowd;
            if (isWanted || crowd > 0)
                Cut(wanted, LongPatience, ref cut);
            if (isWantedByAway || crowdOfAway > 0)
                Cut(wanted + waiting[(int)Standing.Away].Count + crowdOfAway, LongestPatience, ref cut);
            if (cut is not null || isCrowded)
                Plan();
        }

        cut?.ForEach(static place => place.Cut?.Invoke());
    }

    /// <summary>With the gate held: so many at most, with those that are ending already.</summary>
    private void Cut(int wanted, TimeSpan patience, ref List<Place>? cut)
    {
        while ((hanging >= mostHanging || isCrowded)
            && cutting < wanted
            && aside.First is { Value: var place }
            && clock.GetElapsedTime(place.Since) >= patience)
        {
            aside.RemoveFirst();
            place.Node = null;
            place.IsCut = true;
            cutting++;
            (cut ??= []).Add(place);
        }
    }

    private DestinationQueue? NextInLine()
    {
        lock (gate)
        {
            DestinationQueue? next = null;
            for (var standing = Standing.Proven; standing <= Standing.Away && next is null; standing++)
            {
                if (waiting[(int)standing].IsEmpty)
                    continue;
                if (!HasRoom(standing))
                    SetAside();
                if (HasRoom(standing))
                    next = waiting[(int)standing].Take();
            }

            Plan();
            return next;
        }
    }

    /// <summary>Where a lane is counted; guarded by the budget's gate.</summary>
    internal sealed class Place(Standing standing, long since)
    {
        public long Since => since;

        public Standing Standing { get; set; } = standing;

        /// <summary>It has got nowhere, and is counted apart.</summary>
        public bool IsHanging { get; set; }

        /// <summary>It is to end.</summary>
        public bool IsCut { get; set; }

        /// <summary>Ends what has got nowhere.</summary>
        public Action? Cut { get; set; }

        /// <summary>Among those that have delivered nothing yet, counted apart or not.</summary>
        public LinkedListNode<Place>? Node { get; set; }
    }

    /// <summary>Each queue once, in the order in which they came.</summary>
    private sealed class Line
    {
        private readonly LinkedList<DestinationQueue> order = new();
        private readonly Dictionary<DestinationQueue, LinkedListNode<DestinationQueue>> members = [];

        public bool IsEmpty => order.Count == 0;

        public int Count => order.Count;

        public void Add(DestinationQueue queue)
        {
            if (!members.ContainsKey(queue))
                members.Add(queue, order.AddLast(queue));
        }

        public DestinationQueue? Take()
        {
            if (order.First is not { Value: var queue })
                return null;
            Remove(queue);
            return queue;
        }

        public void Remove(DestinationQueue queue)
        {
            if (members.Remove(queue, out var node))
                order.Remove(node);
        }
    }
}
