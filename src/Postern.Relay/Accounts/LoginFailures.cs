using System.Globalization;
using Postern.Relay.Audit;

namespace Postern.Relay.Accounts;

/// <summary>
/// Failed logins by client address (IPv6: by /64) over all sessions: too many without a success in between, and logins from there are
/// not checked for a while, however many connections they come over. Bounded, in memory only.
/// </summary>
public sealed class LoginFailures(IAuditLog audit, TimeProvider clock)
{
    /// <summary>Failures within <see cref="Window"/> that begin a pause.</summary>
    public const int Most = 20;

    public const int DefaultCapacity = 10_000;

    public const string Reason = "too many failed logins from this address";

    private readonly Lock gate = new();

    // Two halves: when the young one is full the old one is dropped. Bounded, without a list of uses to keep.
    private Dictionary<string, Entry> young = new(StringComparer.Ordinal);
    private Dictionary<string, Entry> old = new(StringComparer.Ordinal);

    public static TimeSpan Window { get; } = TimeSpan.FromMinutes(10);

    public static TimeSpan Pause { get; } = TimeSpan.FromMinutes(1);

    /// <summary>Addresses kept at most.</summary>
    public int Capacity { get; init; } = DefaultCapacity;

    /// <summary>Addresses kept now.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return young.Count + old.Count;
        }
    }

    /// <summary>True while logins from there are not to be checked.</summary>
    public bool IsPaused(string? peer)
    {
        if (PeerPlace.Of(peer) is not { } place)
            return false;
        lock (gate)
        {
            if (!TryFind(place, out var entry) || entry.Failures < Most)
                return false;
            if (clock.GetElapsedTime(entry.At) < Pause)
                return true;
            Forget(place);
        }

        Tell("logins_resumed", $"{place}: logins are checked again");
        return false;
    }

    /// <summary>A user name or a password was wrong.</summary>
    public void NoteFailure(string? peer)
    {
        if (PeerPlace.Of(peer) is not { } place)
            return;
        lock (gate)
        {
            var now = clock.GetTimestamp();
            var entry = TryFind(place, out var known) && clock.GetElapsedTime(known.At, now) < Window ? known with { Failures = known.Failures + 1 } : new Entry(1, now);
            if (entry.Failures == Most)
                entry = entry with { At = now };
            Put(place, entry);
            if (entry.Failures != Most)
                return;
        }

        Tell("logins_paused", string.Create(CultureInfo.InvariantCulture, $"{place}: {Most} failed logins without a success; none is checked for {Pause.TotalSeconds} s"));
    }

    public void NoteSuccess(string? peer)
    {
        if (PeerPlace.Of(peer) is not { } place)
            return;
        lock (gate)
            Forget(place);
    }

    private bool TryFind(string place, out Entry entry) => young.TryGetValue(place, out entry) || old.TryGetValue(place, out entry);

    private void Forget(string place)
    {
        young.Remove(place);
        old.Remove(place);
    }

    private void Put(string place, Entry entry)
    {
        old.Remove(place);
        if (young.Count >= Math.Max(1, Capacity / 2) && !young.ContainsKey(place))
            (old, young) = (young, new(StringComparer.Ordinal));
        young[place] = entry;
    }

    private void Tell(string what, string detail) => audit.Append(new AuditEvent.Server(clock.GetUtcNow(), what, detail));

    /// <param name="At">The first failure of the window; once there are too many, the one that began the pause.</param>
    private readonly record struct Entry(int Failures, long At);
}
