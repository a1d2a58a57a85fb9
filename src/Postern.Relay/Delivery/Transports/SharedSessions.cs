namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Open sessions with mail exchangers that have done their work for one destination, for others that the same exchanger serves: on the same
/// terms, at the same address, from the same address and under the same name. They count as connections of the host, give way to new ones,
/// and are closed when nobody had use for them for a while. May be called from any thread.
/// </summary>
#pragma warning disable CA1001 // it lasts as long as the transport, and an alarm that rings once more finds nothing
internal sealed class SharedSessions
#pragma warning restore CA1001
{
    /// <summary>Beyond that the one that has waited longest is closed.</summary>
    private const int Most = 500;

    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly Scheduling.Alarm alarm;
    private readonly LinkedList<Entry> all = new();

    /// <summary>By the terms that a session is on, and by the destination that left it; the newest last.</summary>
    private readonly Dictionary<object, List<Entry>> found = [];

    private bool isClosed;

    public SharedSessions(HostPlaces places, TimeProvider clock)
    {
        this.clock = clock;
        alarm = new Scheduling.Alarm(clock, CloseLate);
        places.OnOverfull = CloseOne;
    }

    /// <summary>Keeps a session open for others; false where it is to be closed.</summary>
    public bool TryPark(HopSession session, TimeSpan closesAfter)
    {
        if (session is not { IsOpen: true, IsBespoken: false, MayBeShared: true, Place: { } place })
            return false;
        Entry? late = null;
        lock (gate)
        {
            if (isClosed || !place.TryPark())
                return false;
            if (all.Count >= Most)
                Remove(late = all.First!.Value);
            var until = clock.GetTimestamp() + (long)(closesAfter.TotalSeconds * clock.TimestampFrequency);
            var entry = new Entry(TermsOf(session.Endpoint), session, place, until);
            entry.Node = all.AddLast(entry);
            ListOf(entry.Terms).Add(entry);
            ListOf(place.Hop).Add(entry);
            alarm.Set(all.First!.Value.Until);
            place.WhenWanted = null;
        }

        Close(late);
        place.CallNext();
        return true;
    }

    /// <summary>The session that this destination left itself, whichever of its hosts it is with; null where there is none.</summary>
    public HopSession? TakeOwn(NextHop hop) => Take(hop, endpoint: null, hop);

    /// <summary>An open session for a destination; null where there is none, or others come first.</summary>
    public HopSession? Take(HopEndpoint endpoint, NextHop hop) => Take(TermsOf(endpoint), endpoint, hop);

    /// <summary>Closes all: what they were opened with is not what counts now.</summary>
    /// <param name="forGood">No other will be taken.</param>
    public Task CloseAsync(bool forGood)
    {
        Entry[] closed;
        lock (gate)
        {
            isClosed |= forGood;
            closed = [.. all];
            all.Clear();
            found.Clear();
        }

        return Task.WhenAll(closed.Select(static entry => entry.Session.DisposeAsync().AsTask()));
    }

    private static HopEndpoint TermsOf(HopEndpoint endpoint) =>
        endpoint with { Preference = 0, Terms = endpoint.Terms with { Subject = null } };

    private HopSession? Take(object by, HopEndpoint? endpoint, NextHop hop)
    {
        Entry[] entries;
        lock (gate)
            entries = found.TryGetValue(by, out var same) ? [.. same] : [];
        foreach (var entry in entries.Reverse())
        {
            if (entry.Place.TryAdopt(hop) is not { } place)
            {
                if (entry.Place.IsParked)
                    return null;
                // Another has it by now.
                continue;
            }

            bool isMine;
            lock (gate)
                isMine = Remove(entry);
            if (!isMine)
            {
                // It is being closed.
                place.Leave();
                continue;
            }

            entry.Session.Adopt(endpoint ?? entry.Session.Endpoint, place);
            if (entry.Session.IsAlive)
                return entry.Session;
            Close(entry);
        }

        return null;
    }

    private List<Entry> ListOf(object key) => found.TryGetValue(key, out var list) ? list : found[key] = [];

    private bool Remove(Entry entry)
    {
        if (entry.Node.List is null)
            return false;
        all.Remove(entry.Node);
        foreach (var key in (ReadOnlySpan<object>)[entry.Terms, entry.Place.Hop])
        {
            if (found.TryGetValue(key, out var list) && list.Remove(entry) && list.Count == 0)
                found.Remove(key);
        }

        return true;
    }

    /// <summary>A new connection has come to where there are as many as may be.</summary>
    private void CloseOne(HostGate full)
    {
        Entry? closed = null;
        lock (gate)
        {
            closed = all.FirstOrDefault(entry => entry.Place.Is(full));
            if (closed is not null)
                Remove(closed);
        }

        Close(closed);
    }

    private void CloseLate()
    {
        var late = new List<Entry>();
        lock (gate)
        {
            while (all.First is { Value: var first } && first.Until <= clock.GetTimestamp())
            {
                Remove(first);
                late.Add(first);
            }

            if (all.First is { Value: var next })
                alarm.Set(next.Until);
        }

        late.ForEach(Close);
    }

    /// <summary>Says goodbye; whatever comes of it, its place is free then.</summary>
    private static void Close(Entry? entry)
    {
        if (entry is not null)
            _ = Task.Run(async () => await entry.Session.DisposeAsync().ConfigureAwait(false));
    }

    /// <param name="until">When it is closed; a timestamp of the clock.</param>
    private sealed class Entry(HopEndpoint terms, HopSession session, HostPlace place, long until)
    {
        public HopEndpoint Terms => terms;

        public HopSession Session => session;

        public HostPlace Place => place;

        public long Until => until;

        public LinkedListNode<Entry> Node { get; set; } = null!;
    }
}
