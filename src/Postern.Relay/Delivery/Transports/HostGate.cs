using System.Globalization;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// How many connections one host, or one address, may have: the arithmetic alone. More while what is sent there arrives, slowly; fewer at
/// once when it does not. A host that says that it is too much gets one connection, and for a while no second one within a second or more.
/// Those who wait are let in one after another. Guarded by the gate of <see cref="HostPlaces"/>.
/// </summary>
/// <param name="name"><c>host:port</c> or <c>[address]:port</c>.</param>
internal sealed class HostGate(string name, TimeProvider clock)
{
    /// <summary>Connections to a host of strangers, before it is known what it takes.</summary>
    public const int First = 5;

    /// <summary>Answers in a row that say it is too much: from then on what waits is put off instead of being tried one by one.</summary>
    public const int Hopeless = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>So long after the last such answer it is slow.</summary>
    private static readonly TimeSpan SlowFor = TimeSpan.FromMinutes(1);

    /// <summary>What it takes is known for so long after the last connection.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(1);

    /// <summary>Who was let in and has not come by then has lost the turn.</summary>
    private static readonly TimeSpan InvitedFor = TimeSpan.FromSeconds(10);

    private readonly LinkedList<(NextHop Hop, Func<bool> Call)> line = new();
    private readonly HashSet<NextHop> waiting = [];
    private readonly Dictionary<NextHop, long> invited = [];
    private double window = First;
    private int most = First;
    private int streak;
    private TimeSpan pause;
    private long nextAt;
    private long slowUntil;
    private long usedAt = clock.GetTimestamp();
    private string? slowSince;
    private int parked;

    public string Name => name;

    public List<HostPlace> Places { get; } = [];

    /// <summary>There are more connections than may be, and one of them waits for whoever has use for it.</summary>
    public bool IsOverfull => parked > 0 && Places.Count > (int)window;

    /// <summary>A destination waits for a connection. May be read without the gate.</summary>
    public bool IsWanted => line.Count > 0;

    /// <summary>It may have as many as anybody, and nothing is held against it. May be read without the gate.</summary>
    public bool IsOpen => window >= most && streak == 0;

    public bool IsSlow => clock.GetTimestamp() < slowUntil;

    public bool IsHopeless => streak >= Hopeless && IsSlow;

    /// <summary>Nothing is to be kept of it.</summary>
    public bool IsIdle => Places.Count == 0
        && line.Count == 0
        && !IsSlow
        && clock.GetElapsedTime(usedAt) >= KnownFor;

    /// <summary>When it is looked at next, as planned last.</summary>
    public long PlannedAt { get; set; }

    /// <param name="limit">The most connections it may have.</param>
    /// <param name="isChosen">The operator named the host: it has its limit at once.</param>
    public void Allow(int limit, bool isChosen)
    {
        if (isChosen && Places.Count == 0 && streak == 0 && !IsSlow)
            window = limit;
        most = limit;
        window = Math.Min(window, limit);
    }

    /// <summary>It is the destination's turn.</summary>
    public bool HasInvited(NextHop hop) => invited.ContainsKey(hop);

    /// <summary>Those in line come first.</summary>
    /// <param name="isInvited">It is the turn of the destination that asks, here or at the other gate to the same place.</param>
    /// <param name="beside">A connection that waits until the one to be made has done its work; null where there is none.</param>
    public bool MayEnter(bool isInvited, HostPlace? beside = null)
    {
        if (clock.GetTimestamp() < nextAt)
            return false;
        if (beside is not null && Places.Contains(beside))
            return true;
        return Free > 0 && (isInvited || (line.Count == 0 && invited.Count < Free));
    }

    public void Enter(HostPlace place)
    {
        Places.Add(place);
        Note(place.Hop);
        if (IsSlow)
            Pause(FirstPause);
    }

    public void Leave(HostPlace place)
    {
        if (Places.Remove(place) && place.IsParked)
            parked--;
        usedAt = clock.GetTimestamp();
    }

    /// <summary>The connection waits for whoever has use for it, and keeps nobody out.</summary>
    public void Park() => parked++;

    /// <summary>As <see cref="MayEnter"/>, with a connection that there is: a pause between new ones does not count.</summary>
    public bool MayAdopt(bool isInvited) => Free > 0 && (isInvited || (line.Count == 0 && invited.Count < Free));

    public void Adopt(HostPlace place, HostPlace taken)
    {
        Places[Places.IndexOf(place)] = taken;
        parked--;
        Note(taken.Hop);
    }

    /// <summary>A message has arrived: one connection more when each of those there are has brought one.</summary>
    public void Succeed()
    {
        streak = 0;
        if (!IsSlow)
            window = Math.Min(most, window + (1 / window));
    }

    /// <summary>It does not take the connection that was just begun.</summary>
    public void Fail() => window = Math.Max(1, Math.Min(window, Places.Count) - 1);

    /// <summary>It says that it is too much; true when it is slow from now on.</summary>
    /// <remarks>Once is no reason: a new connection may be all that is needed.</remarks>
    public bool Throttle(string reply)
    {
        var isNew = !IsSlow;
        window = 1;
        if (isNew && streak > 1)
            streak = 1;
        if (++streak < 2)
            return false;
        pause = isNew ? FirstPause : pause + pause < LongestPause ? pause + pause : LongestPause;
        Pause(pause);
        slowUntil = Math.Max(slowUntil, At(pause + SlowFor));
        slowSince = reply;
        return isNew;
    }

    public string WhyNot => IsSlow
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{name} has one connection at most and a pause of {pause.TotalSeconds:0} s, as it said: {slowSince}")
        : $"{name} has as many connections as it may have ({Places.Count})";

    public void Wait(NextHop hop, Func<bool> call)
    {
        if (waiting.Add(hop))
            line.AddLast((hop, call));
    }

    /// <summary>The next in line, where there is room for one.</summary>
    public (NextHop Hop, Func<bool> Call)? Invite()
    {
        if (line.First is not { Value: var first } || clock.GetTimestamp() < nextAt)
            return null;
        if (invited.Count > 0)
        {
            foreach (var (late, since) in invited)
            {
                if (clock.GetElapsedTime(since) >= InvitedFor)
                    invited.Remove(late);
            }
        }

        if (invited.Count >= Free)
            return null;
        line.RemoveFirst();
        waiting.Remove(first.Hop);
        invited[first.Hop] = clock.GetTimestamp();
        return first;
    }

    /// <summary>It makes no use of its turn; true when it had one.</summary>
    public bool Decline(NextHop hop) => invited.Remove(hop);

    /// <summary>When there may be room for the next in line although nobody leaves; null when nobody waits for that.</summary>
    public long? LooksAgainAt()
    {
        if (line.Count == 0)
            return null;
        if (clock.GetTimestamp() < nextAt)
            return nextAt;
        return invited.Count == 0 ? null : invited.Values.Min() + Ticks(InvitedFor);
    }

    private int Free => (int)window - (Places.Count - parked);

    private void Note(NextHop hop)
    {
        usedAt = clock.GetTimestamp();
        invited.Remove(hop);
    }

    private void Pause(TimeSpan time) => nextAt = Math.Max(nextAt, At(time));

    private long At(TimeSpan later) => clock.GetTimestamp() + Ticks(later);

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);
}
