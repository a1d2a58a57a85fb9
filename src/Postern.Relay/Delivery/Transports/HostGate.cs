using System.Globalization;
using Postern.Relay.Delivery.Shaping;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// How many connections one host, or one address, may have: the arithmetic alone. More while what is sent there arrives, slowly; fewer at
/// once when it does not. A host that says that it is too much gets one connection, and for a while no second one within a second or more.
/// Those who wait are let in one after another. Guarded by the gate of <see cref="HostPlaces"/>.
/// </summary>
/// <param name="name"><c>host:port</c> or <c>[address]:port</c>; of what is said about a group of hosts its name.</param>
/// <param name="isGroup">It counts connections to a group of hosts: none of them speaks for it.</param>
internal sealed class HostGate(string name, TimeProvider clock, bool isGroup = false)
{
    /// <summary>Connections to a host of strangers, before it is known what it takes.</summary>
    public const int First = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>So long after the last such answer it is slow.</summary>
    private static readonly TimeSpan Slowness = TimeSpan.FromMinutes(1);

    /// <summary>What it takes is known for so long after the last connection.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(1);

    /// <summary>Who was let in and has not come by then has lost the turn.</summary>
    private static readonly TimeSpan InvitedFor = TimeSpan.FromSeconds(10);

    private readonly LinkedList<(NextHop Hop, Func<bool> Call)> line = new();
    private readonly HashSet<NextHop> waiting = [];
    private readonly Dictionary<NextHop, long> invited = [];
    private double window = First;
    private int most = First;
    private RateNeed? fresh;
    private TokenBucket? bucket;
    private int suspendAfter = HopShape.UsualSuspendAfter;
    private TimeSpan? suspendFor;
    private int streak;
    private TimeSpan pause;
    private long nextAt;
    private long slowUntil;
    private long narrowedAt = long.MinValue / 2;
    private long usedAt = clock.GetTimestamp();
    private string? slowSince;
    private int parked;

    public string Name => name;

    public List<HostPlace> Places { get; } = [];

    /// <summary>There are more connections than may be, and one of them waits for whoever has use for it.</summary>
    public bool IsOverfull => parked > 0 && Places.Count > Window;

    /// <summary>It is full, and one of the connections is not at work.</summary>
    public bool HasSpare => isGroup && parked > 0 && Places.Count >= Window;

    /// <summary>Connections that are not at work are to end.</summary>
    public bool NeedsPlace => isGroup && line.Count > 0;

    /// <summary>A destination waits for a connection. May be read without the gate.</summary>
    public bool IsWanted => line.Count > 0;

    /// <summary>It may have as many as anybody, and nothing is held against it. May be read without the gate.</summary>
    public bool IsOpen => isGroup || (window >= most && streak == 0);

    public bool IsSlow => clock.GetTimestamp() < slowUntil;

    /// <summary>What waits is put off instead of being tried one by one.</summary>
    public bool IsHopeless => streak >= suspendAfter && IsSlow;

    /// <summary>Nobody is let in before; null where that is now.</summary>
    public TimeSpan? SlowFor => IsSlow ? clock.GetElapsedTime(clock.GetTimestamp(), slowUntil) : null;

    /// <summary>Connections that it may have now.</summary>
    public int Window => Math.Min(Math.Max((int)window, Least), most);

    /// <summary>Nothing is to be kept of it.</summary>
    public bool IsIdle => Places.Count == 0
        && line.Count == 0
        && !IsSlow
        && bucket is not { IsFull: false }
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
    }

    /// <summary>The same of a group, which has its limit always.</summary>
    public void Allow(int limit) => window = most = limit;

    /// <param name="rate">How many connections may be begun; null for any number.</param>
    /// <param name="sinceStart">How long connections have been counted: what was begun before is not known.</param>
    public void Pace(RateNeed? rate, TimeSpan sinceStart)
    {
        if (fresh == rate)
            return;
        fresh = rate;
        if (rate is null)
            bucket = null;
        else if (bucket is null)
            bucket = new TokenBucket(rate.Rate, 1 + (sinceStart.TotalSeconds * rate.Rate.PerSecond), clock);
        else
            bucket.Apply(rate.Rate);
    }

    /// <param name="after">Answers in a row that it is too much, after which what waits is put off.</param>
    /// <param name="pause">For how long nobody is let in then; null: by the usual pauses.</param>
    public void Suspend(int after, TimeSpan? pause) => (suspendAfter, suspendFor) = (after, pause);

    /// <summary>The limits may be others now: the next in line finds out.</summary>
    public void Forget()
    {
        (fresh, PlannedAt, most) = (null, 0, int.MaxValue);
        if (isGroup)
            window = most;
    }

    /// <summary>It is the destination's turn.</summary>
    public bool HasInvited(NextHop hop) => invited.ContainsKey(hop);

    /// <summary>Those in line come first.</summary>
    /// <param name="isInvited">It is the turn of the destination that asks, here or at the other gate to the same place.</param>
    /// <param name="beside">A connection that waits until the one to be made has done its work; null where there is none.</param>
    public bool MayEnter(bool isInvited, HostPlace? beside = null)
    {
        if (clock.GetTimestamp() < nextAt || bucket?.Has(1, kept: isInvited ? 0 : invited.Count) == false)
            return false;
        if (beside is not null && Places.Contains(beside))
            return true;
        return Free > 0 && (isInvited || (line.Count == 0 && invited.Count < Free));
    }

    public void Enter(HostPlace place)
    {
        Places.Add(place);
        Note(place.Hop);
        bucket?.Take(1);
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
    public bool MayAdopt(bool isInvited) => isGroup
        ? isInvited || line.Count == 0
        : Free > 0 && (isInvited || (line.Count == 0 && invited.Count < Free));

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
        if (!IsSlow && !isGroup)
            window = Math.Max(window, Math.Min(most, window + (1 / window)));
    }

    /// <summary>It does not take the connection that was just begun.</summary>
    public void Fail()
    {
        if (isGroup)
            return;
        window = Math.Max(1, Math.Min(window, Places.Count) - 1);
        narrowedAt = clock.GetTimestamp();
    }

    /// <summary>It says that it is too much; true when it is slow from now on.</summary>
    /// <remarks>Once is no reason: a new connection may be all that is needed.</remarks>
    public bool Throttle(string reply)
    {
        if (isGroup)
            return false;
        var isNew = !IsSlow;
        window = 1;
        narrowedAt = clock.GetTimestamp();
        if (isNew && streak > 1)
            streak = 1;
        if (++streak < 2)
            return false;
        pause = streak >= suspendAfter && suspendFor is { } whole ? whole
            : isNew ? FirstPause
            : pause + pause < LongestPause ? pause + pause : LongestPause;
        Pause(pause);
        slowUntil = Math.Max(slowUntil, At(pause + Slowness));
        narrowedAt = slowUntil - Ticks(Slowness);
        slowSince = reply;
        return isNew;
    }

    public string WhyNot => IsSlow
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{name} has one connection at most and a pause of {pause.TotalSeconds:0} s, as it said: {slowSince}")
        : bucket?.Has(1) == false ? $"{name} has as many new connections as it may have: {fresh!.Words}"
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

        if (invited.Count >= Free || (fresh is not null && bucket?.Has(1, kept: invited.Count) == false))
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
        long? late = invited.Count == 0 ? null : invited.Values.Min() + Ticks(InvitedFor);
        if (Free <= invited.Count)
            return Least < Math.Min(First, most) ? Math.Min(late ?? long.MaxValue, narrowedAt + (Least * Ticks(Slowness))) : late;
        if (fresh is null || bucket?.ReadyAt(1, kept: invited.Count) is not { } ready)
            return late;
        return late < ready ? late : ready;
    }

    /// <summary>
    /// What it may have again as time goes by, one more each minute: the only connection may be one that hangs, and bring nothing by which
    /// it could earn another.
    /// </summary>
    private int Least => isGroup || IsSlow ? 1 : (int)Math.Clamp((clock.GetTimestamp() - narrowedAt) / Ticks(Slowness), 0, First - 1) + 1;

    /// <summary>The limit of a group is somebody's word: those that wait for whoever has use for them count, too.</summary>
    private int Free => Window - (isGroup ? Places.Count : Places.Count - parked);

    private void Note(NextHop hop)
    {
        usedAt = clock.GetTimestamp();
        invited.Remove(hop);
    }

    private void Pause(TimeSpan time) => nextAt = Math.Max(nextAt, At(time));

    private long At(TimeSpan later) => clock.GetTimestamp() + Ticks(later);

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);
}
