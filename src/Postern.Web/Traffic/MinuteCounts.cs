using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Traffic;

/// <summary>
/// What happened in each minute of the last seven days, since the start of the server: the bars of the overview. A quarter of a megabyte,
/// whatever comes.
/// </summary>
internal sealed class MinuteCounts(TimeProvider clock) : IEventSink
{
    /// <summary>Minutes that are kept.</summary>
    public const int Most = 7 * 24 * 60;

    private const int Kinds = 6;

    private readonly Lock gate = new();
    private readonly int[] counts = new int[Most * Kinds];
    private long newest = MinuteOf(clock.GetUtcNow());

    public string Name => "minute counts";

    public long Lost => 0;

    /// <summary>From when on there are counts.</summary>
    public DateTimeOffset Since { get; } = clock.GetUtcNow();

    public void Offer(AuditEvent audit)
    {
        if (Of(audit) is { } what)
            Add(what);
    }

    /// <summary>It happened as well, although it is not written down.</summary>
    public void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
        if (audit is not null)
            Offer(audit);
        else if (cause.Kind == AuditKind.Auth)
            Add(Counted.LoginFailed);
        else if (cause.Kind is AuditKind.Policy or AuditKind.Mail && !cause.IsMessage)
            Add(Counted.Refused);
    }

    /// <summary>Equal spans of time up to now, the oldest first.</summary>
    /// <param name="minutes">Of one span.</param>
    public ImmutableArray<int> Read(Counted what, int spans, int minutes)
    {
        var read = new int[spans];
        var now = MinuteOf(clock.GetUtcNow());
        lock (gate)
        {
            Forget(now);
            for (var back = 0; back < Math.Min(spans * minutes, Most); back++)
                read[spans - 1 - (back / minutes)] += counts[At(now - back, what)];
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(read);
    }

    private static Counted? Of(AuditEvent audit) => audit switch
    {
        AcceptedEvent => Counted.Accepted,
        RefusedEvent or DecisionEvent { Outcome: DecisionOutcome.Refuse } => Counted.Refused,
        DeliveryEvent { Outcome: DeliveryOutcome.Delivered } => Counted.Delivered,
        DeliveryEvent { Outcome: DeliveryOutcome.Deferred } => Counted.Deferred,
        DeliveryEvent => Counted.Failed,
        LoginEvent { Outcome: AuthOutcome.Failed } => Counted.LoginFailed,
        _ => null,
    };

    private static long MinuteOf(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMinute;

    private static int At(long minute, Counted what) => ((int)(minute % Most) * Kinds) + (int)what;

    private void Add(Counted what)
    {
        var now = MinuteOf(clock.GetUtcNow());
        lock (gate)
        {
            Forget(now);
            counts[At(now, what)]++;
        }
    }

    /// <summary>Makes room for the minutes since the last one. A clock that was set back goes on in the newest minute there was.</summary>
    private void Forget(long now)
    {
        for (var minute = Math.Max(newest + 1, now - Most + 1); minute <= now; minute++)
            counts.AsSpan(At(minute, 0), Kinds).Clear();
        newest = Math.Max(newest, now);
    }
}

/// <summary>What is counted.</summary>
internal enum Counted
{
    Accepted,
    Refused,
    Delivered,
    Deferred,
    Failed,
    LoginFailed,
}
