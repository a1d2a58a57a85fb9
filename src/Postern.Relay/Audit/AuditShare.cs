using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>What strangers, or those who have logged in, may write of one kind. Thread-safe; a call costs one look-up.</summary>
/// <param name="whole">Events of one key that are written whole in a window.</param>
/// <param name="octetsPerSecond">Octets of all keys together; <see cref="long.MaxValue"/> for no bound.</param>
internal sealed class AuditShare(
    AuditKind kind, int whole, long octetsPerSecond, long burst, TimeProvider clock, Action<CoalescedEvent> tell)
{
    /// <summary>Octets taken for an event before its length is known.</summary>
    public const int Usual = 512;

    /// <summary>Events a minute of the others, together, when there are no octets left: their references lead to these.</summary>
    private const int Samples = 10;

    private readonly Lock gate = new();
    private readonly Dictionary<Key, Tally> tallies = [];
    private readonly Tally others = new();
    private long taken;
    private volatile bool isStopped;
    private long filledAt = clock.GetTimestamp();
    private long nextLook;

    /// <summary>There is no room for events of this share: one a minute is written for all.</summary>
    public bool IsStopped { get => isStopped; set => isStopped = value; }

    public AuditCause Ask(AuditCause cause, bool canWrite)
    {
        var now = clock.GetTimestamp();
        lock (gate)
        {
            var hasOctets = Fill(now) > 0 && canWrite && !isStopped;
            var tally = Find(cause, now, hasOctets);
            if (tally.IsOver(now, clock))
                Begin(tally, now);
            if (tally.Whole < (isStopped ? 1 : hasOctets ? whole : Math.Min(whole, Samples)) && canWrite && (hasOctets || tally == others))
            {
                if (tally.Whole++ == 0)
                    tally.Ref = cause.Ref;
                Take(Usual);
                return cause with { Standing = AuditStanding.Whole };
            }

            if (tally.Repeats++ == 0)
                (tally.First, tally.FirstAt) = (cause, clock.GetUtcNow());
            return cause with { Standing = AuditStanding.Repeat, Ref = tally.Ref ?? cause.Ref };
        }
    }

    public void Settle(int length)
    {
        lock (gate)
            Take(length - Usual);
    }

    /// <summary>
    /// Tells of every tally whose window is over and forgets it; with <paramref name="all"/> of those that go on as well.
    /// </summary>
    public void Sweep(bool all)
    {
        var now = clock.GetTimestamp();
        lock (gate)
        {
            foreach (var (key, tally) in tallies)
            {
                if (!all && !tally.IsOver(now, clock))
                    continue;
                Tell(tally);
                tallies.Remove(key);
            }

            if (all || others.IsOver(now, clock))
                Tell(others);
        }
    }

    /// <summary>
    /// The tally of its key; that of the others where there is no room for a new one, or no octets for the event that its reference would
    /// lead to.
    /// </summary>
    private Tally Find(in AuditCause cause, long now, bool hasOctets)
    {
        var key = Key.Of(cause);
        if (tallies.TryGetValue(key, out var tally))
            return tally;
        if (!hasOctets || (tallies.Count >= AuditBudget.MostKeys && !MakeRoom(now)))
            return others;
        return tallies[key] = new Tally { Since = now };
    }

    /// <summary>Looks through all of them once in a few seconds at most: a stranger with many addresses asks often.</summary>
    private bool MakeRoom(long now)
    {
        if (now < nextLook)
            return false;
        nextLook = now + (5 * clock.TimestampFrequency);
        foreach (var (key, tally) in tallies)
        {
            if (!tally.IsOver(now, clock))
                continue;
            Tell(tally);
            tallies.Remove(key);
        }

        return tallies.Count < AuditBudget.MostKeys;
    }

    private void Begin(Tally tally, long now)
    {
        Tell(tally);
        (tally.Since, tally.Whole) = (now, 0);
    }

    private void Tell(Tally tally)
    {
        if (tally.Repeats == 0)
            return;
        var first = tally.First;
        tell(tally == others
            ? new CoalescedEvent(clock.GetUtcNow(), kind, "others", tally.Repeats, tally.FirstAt) { Ref = tally.Ref }
            : new CoalescedEvent(clock.GetUtcNow(), kind, first.Word, tally.Repeats, tally.FirstAt)
            {
                Client = first.Client.ToString(),
                User = first.Login,
                Detail = first.Detail,
                Code = first.Code == 0 ? null : first.Code,
                Ref = tally.Ref,
            });
        tally.Repeats = 0;
        Take(Usual);
    }

    private long Fill(long now)
    {
        if (octetsPerSecond == long.MaxValue)
            return long.MaxValue;
        var elapsed = clock.GetElapsedTime(filledAt, now);
        if (elapsed >= TimeSpan.FromMilliseconds(1))
        {
            taken = Math.Max(0, taken - (long)(elapsed.TotalSeconds * octetsPerSecond));
            filledAt = now;
        }

        return burst - taken;
    }

    private void Take(int length)
    {
        if (octetsPerSecond != long.MaxValue)
            taken += length;
    }

    /// <summary>One place and one thing.</summary>
    private readonly record struct Key(UInt128 Place, string? Login, string Word, string? Detail, int Code)
    {
        public static Key Of(in AuditCause cause) =>
            new(cause.Login is null ? PlaceOf(cause.Client) : UInt128.Zero, cause.Login, cause.Word, cause.Detail, cause.Code);

        /// <summary>An IPv4 address; of IPv6 the /64, for whoever has one address has all of those.</summary>
        private static UInt128 PlaceOf(IPAddress address)
        {
            Span<byte> octets = stackalloc byte[16];
            octets.Clear();
            if (!address.TryWriteBytes(octets, out _))
                return UInt128.Zero;
            if (address.AddressFamily == AddressFamily.InterNetwork)
                octets[^1] = 4;
            else if (!address.IsIPv4MappedToIPv6)
                octets[8..].Clear();
            return BinaryPrimitives.ReadUInt128BigEndian(octets);
        }
    }

    private sealed class Tally
    {
        /// <summary>Leads to the first event of this window, or of an earlier one, that was written whole.</summary>
        public string? Ref { get; set; }

        public long Since { get; set; }

        public int Whole { get; set; }

        public long Repeats { get; set; }

        public AuditCause First { get; set; }

        public DateTimeOffset FirstAt { get; set; }

        public bool IsOver(long now, TimeProvider clock) => clock.GetElapsedTime(Since, now) >= AuditBudget.Window;
    }
}
