using Postern.Relay.Delivery.Shaping;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// The connections to each host and to each address, over all destinations that lead there: 400 domains that one exchanger serves have the
/// connections of one. A destination that is turned away waits in the line of what is full, and is called. May be called from any thread.
/// </summary>
#pragma warning disable CA1001 // it lasts as long as the transport, and an alarm that rings once more finds nobody in line
internal sealed class HostPlaces
#pragma warning restore CA1001
{
    /// <summary>What is known of hosts that nobody is connected to is looked through when they are so many.</summary>
    private const int FirstSweep = 1_024;

    private readonly Lock gate = new();
    private readonly Dictionary<string, HostGate> gates = new(StringComparer.Ordinal);
    private readonly PriorityQueue<HostGate, long> planned = new();
    private readonly TimeProvider clock;
    private readonly Scheduling.Alarm alarm;
    private readonly long begunAt;
    private int sweepsAt = FirstSweep;

    public HostPlaces(TimeProvider clock)
    {
        (this.clock, begunAt) = (clock, clock.GetTimestamp());
        alarm = new Scheduling.Alarm(clock, OnAlarm);
    }

    /// <summary>Told when a host is slowed.</summary>
    public Action<string, string>? Tell { private get; set; }

    /// <summary>Closes a connection that waits for whoever has use for it, where a new one has its place.</summary>
    public Action<HostGate>? OnOverfull { private get; set; }

    /// <summary>A place for a connection; else what is full.</summary>
    /// <param name="shape">What connections there are held to.</param>
    /// <param name="beside">One of the same lane that waits meanwhile; null where there is none.</param>
    public (HostPlace? Place, IHostTurn? Full) TryEnter(HopEndpoint endpoint, NextHop hop, HopShape shape, HostPlace? beside = null)
    {
        HostGate[] both;
        HostGate? full;
        HostPlace? place = null;
        lock (gate)
        {
            both = GatesOf(endpoint, hop, shape);
            var isInvited = Array.Exists(both, one => one.HasInvited(hop));
            full = Array.Find(both, one => !one.MayEnter(isInvited, beside));
            if (full is null)
            {
                place = new HostPlace(this, both, hop);
                foreach (var one in both)
                    one.Enter(place);
            }
            else
            {
                both = Array.FindAll(both, one => one.Decline(hop));
            }
        }

        if (place is not null)
        {
            if (Array.Find(both, static one => one.IsOverfull) is { } overfull)
                OnOverfull?.Invoke(overfull);
            return (place, null);
        }

        // Its turn at the other gate is another's.
        foreach (var one in both)
            CallNext(one);
        return (null, new Turn(this, full!.Name));
    }

    /// <summary>The connection waits for whoever has use for it; false where somebody waits for its place.</summary>
    internal bool TryPark(HostPlace place, HostGate[] kept)
    {
        lock (gate)
        {
            if (Array.Exists(kept, static one => one.NeedsPlace))
                return false;
            if (!kept[0].Places.Contains(place))
                return true;
            place.IsParked = true;
            foreach (var one in kept)
                one.Park();
            return true;
        }
    }

    internal void CallNext(HostGate[] those)
    {
        foreach (var one in those)
            CallNext(one);
    }

    /// <summary>The place of a destination that takes over the connection; null where others come first, or it is gone.</summary>
    internal HostPlace? TryAdopt(HostPlace place, HostGate[] both, NextHop hop)
    {
        lock (gate)
        {
            var isInvited = Array.Exists(both, one => one.HasInvited(hop));
            if (!place.IsParked || !both[0].Places.Contains(place) || !Array.TrueForAll(both, one => one.MayAdopt(isInvited)))
                return null;
            var taken = new HostPlace(this, both, hop);
            foreach (var one in both)
                one.Adopt(place, taken);
            place.IsParked = false;
            return taken;
        }
    }

    /// <summary>The limits may be others now: those in line find out.</summary>
    public void Apply()
    {
        List<HostGate> waited;
        lock (gate)
        {
            waited = [.. gates.Values.Where(static one => one.IsWanted)];
            waited.ForEach(static one => one.Forget());
        }

        waited.ForEach(CallNext);
    }

    /// <summary>What is known of a host or an address now, as <see cref="HostLook.Name"/> names it.</summary>
    public HostLook? Look(string name)
    {
        lock (gate)
            return gates.TryGetValue(name, out var one)
                ? new HostLook(name, one.Places.Count, one.Window) { SlowFor = one.SlowFor, Why = one.IsSlow ? one.WhyNot : null }
                : null;
    }

    internal void Leave(HostPlace place, HostGate[] left)
    {
        lock (gate)
        {
            foreach (var one in left)
                one.Leave(place);
        }

        foreach (var one in left)
            CallNext(one);
    }

    internal void Note(HostGate[] noted, Action<HostGate> what)
    {
        lock (gate)
            Array.ForEach(noted, what);
    }

    /// <summary>Whether the host is slowed now, and whether there is no hope that it soon takes what waits.</summary>
    internal (bool IsSlow, bool IsHopeless) Throttle(HostGate[] noted, string reply)
    {
        bool isSlow;
        bool isHopeless;
        var isNew = false;
        lock (gate)
        {
            foreach (var one in noted)
                isNew |= one.Throttle(reply);
            (isSlow, isHopeless) = (noted[0].IsSlow, noted[0].IsHopeless);
        }

        if (isNew)
            Tell?.Invoke("host_slowed", noted[0].WhyNot);
        return (isSlow, isHopeless);
    }

    /// <summary>The host's or the address's first, and those of groups behind; each with the limits of now.</summary>
    private HostGate[] GatesOf(HopEndpoint endpoint, NextHop hop, HopShape shape)
    {
        var port = endpoint.Address.Port;
        var byAddress = $"[{endpoint.Address.Address}]:{port}";
        HostGate[] own = endpoint.Socket is not null ? [Find(endpoint.Remote)]
            : endpoint.Host == endpoint.Address.Address.ToString() ? [Find(byAddress)]
            : [Find($"{endpoint.Host}:{port}"), Find(byAddress)];
        var sinceStart = clock.GetElapsedTime(begunAt);
        foreach (var one in own)
        {
            one.Allow(shape.Connections, hop is NextHop.SmartHost);
            one.Pace(shape.NewConnections, sinceStart);
            one.Suspend(shape.SuspendAfter, shape.SuspendFor);
        }

        if (shape.Scopes.IsEmpty)
            return own;
        var all = new HostGate[own.Length + shape.Scopes.Length];
        own.CopyTo(all, 0);
        for (var i = 0; i < shape.Scopes.Length; i++)
        {
            var scope = shape.Scopes[i];
            var one = all[own.Length + i] = Find(scope.Name, isGroup: true);
            one.Allow(scope.Connections ?? int.MaxValue);
            one.Pace(scope.NewConnections, sinceStart);
        }

        return all;
    }

    private HostGate Find(string name, bool isGroup = false)
    {
        if (gates.TryGetValue(name, out var found))
            return found;
        if (gates.Count >= sweepsAt)
        {
            foreach (var one in gates.Values)
            {
                if (one.IsIdle)
                    gates.Remove(one.Name);
            }

            sweepsAt = Math.Max(FirstSweep, 2 * gates.Count);
        }

        return gates[name] = new HostGate(name, clock, isGroup);
    }

    private void Wait(string name, NextHop hop, Func<bool> call)
    {
        HostGate one;
        HostPlace[] held;
        bool isSpare;
        lock (gate)
        {
            one = Find(name);
            one.Wait(hop, call);
            held = [.. one.Places];
            isSpare = one.HasSpare;
        }

        if (isSpare)
            OnOverfull?.Invoke(one);
        CallNext(one);
        // Whoever waits for work gives way.
        if (one.IsWanted)
            _ = Array.Exists(held, static place => place.WhenWanted?.Invoke() == true);
    }

    private void CallNext(HostGate one)
    {
        while (true)
        {
            (NextHop Hop, Func<bool> Call) next;
            lock (gate)
            {
                if (one.Invite() is not { } invited)
                {
                    if (one.LooksAgainAt() is { } at)
                        Plan(one, at);
                    return;
                }

                next = invited;
            }

            if (next.Call())
                continue;
            lock (gate)
                one.Decline(next.Hop);
        }
    }

    private void Plan(HostGate one, long at)
    {
        if (one.PlannedAt == at)
            return;
        one.PlannedAt = at;
        planned.Enqueue(one, at);
        if (planned.TryPeek(out _, out var first))
            alarm.Set(first);
    }

    private void OnAlarm()
    {
        var due = new HashSet<HostGate>();
        lock (gate)
        {
            while (planned.TryPeek(out var one, out var at) && at <= clock.GetTimestamp())
            {
                planned.Dequeue();
                due.Add(one);
            }

            if (planned.TryPeek(out _, out var next))
                alarm.Set(next);
        }

        foreach (var one in due)
            CallNext(one);
    }

    private sealed class Turn(HostPlaces places, string name) : IHostTurn
    {
        public string Why
        {
            get
            {
                lock (places.gate)
                    return places.gates.TryGetValue(name, out var one) ? one.WhyNot : $"{name} had as many connections as it may have";
            }
        }

        public void Await(NextHop hop, Func<bool> call) => places.Wait(name, hop, call);
    }
}

/// <summary>What is known of a host, an address or a group.</summary>
/// <param name="Connections">That there are.</param>
/// <param name="Most">That it may have now.</param>
internal sealed record HostLook(string Name, int Connections, int Most)
{
    /// <summary>How long it is slow still; null where it is not.</summary>
    public TimeSpan? SlowFor { get; init; }

    /// <summary>Why, for people; may hold what the host said.</summary>
    public string? Why { get; init; }
}

/// <summary>One connection, as the host and the address count it.</summary>
internal sealed class HostPlace(HostPlaces places, HostGate[] gates, NextHop hop)
{
    private int hasLeft;

    public NextHop Hop => hop;

    /// <summary>It waits for whoever has use for it; guarded by the gate of <see cref="HostPlaces"/>.</summary>
    public bool IsParked { get; set; }

    /// <summary>Another destination waits for a connection to the same host.</summary>
    public bool IsWanted => Array.Exists(gates, static g => g.IsWanted);

    /// <summary>Called when another destination begins to wait; answers whether the connection ends for it now.</summary>
    public Func<bool>? WhenWanted { get; set; }

    /// <summary>A message has arrived.</summary>
    public void Succeed()
    {
        if (!Array.TrueForAll(gates, static g => g.IsOpen))
            places.Note(gates, static g => g.Succeed());
    }

    /// <summary>The connection could not be made.</summary>
    public void Fail() => places.Note(gates, static g => g.Fail());

    /// <summary>The host says that it is too much.</summary>
    public (bool IsSlow, bool IsHopeless) Throttle(string reply) => places.Throttle(gates, reply);

    /// <summary>It waits for whoever has use for it, of all destinations.</summary>
    public bool TryPark() => places.TryPark(this, gates);

    /// <summary>Those in line come first.</summary>
    public void CallNext() => places.CallNext(gates);

    /// <inheritdoc cref="HostPlaces.TryAdopt"/>
    public HostPlace? TryAdopt(NextHop by) => places.TryAdopt(this, gates, by);

    public bool Is(HostGate one) => Array.IndexOf(gates, one) >= 0;

    public void Leave()
    {
        if (Interlocked.Exchange(ref hasLeft, 1) == 0)
            places.Leave(this, gates);
    }
}
