using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>
/// How one store that has to ask somebody else has answered, for operators; it says in the log when answers stop and when they come again.
/// It lasts while configurations come and go. Any thread may tell it.
/// </summary>
public sealed class StoreHealth(string store, IAuditLog audit, TimeProvider clock)
{
    /// <summary>A store that comes and goes is told of this often.</summary>
    private static readonly TimeSpan TellAgain = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private StoreCondition condition = new(store);
    private long remembered;
    private long toldAt;
    private bool wasTold;
    private bool isToldDown;

    /// <summary>Takes how long each answer took; null for nobody.</summary>
    internal Histogram<double>? Durations { private get; init; }

    public StoreCondition Condition
    {
        get
        {
            lock (gate)
                return condition with { FromMemory = Interlocked.Read(ref remembered) };
        }
    }

    /// <summary>An answer was there already.</summary>
    internal void Remembered() => Interlocked.Increment(ref remembered);

    /// <summary>Somebody asks, and has to wait for the answer.</summary>
    internal void Asked()
    {
        lock (gate)
            condition = condition with { Asked = condition.Asked + 1 };
    }

    /// <summary>A question had no turn.</summary>
    internal void TurnedAway()
    {
        lock (gate)
            condition = condition with { TurnedAway = condition.TurnedAway + 1 };
    }

    /// <summary>Somebody logged in by what was said before.</summary>
    internal void StoodIn()
    {
        lock (gate)
            condition = condition with { StoodIn = condition.StoodIn + 1 };
    }

    internal void Answered(TimeSpan took)
    {
        if (Durations is { Enabled: true } durations)
            durations.Record(took.TotalSeconds, new KeyValuePair<string, object?>("store", store));
        StoreCondition before;
        lock (gate)
        {
            before = condition;
            condition = condition with { AnsweredAt = clock.GetUtcNow(), Milliseconds = took.TotalMilliseconds, DownSince = null };
            if (!isToldDown)
                return;
            isToldDown = false;
        }

        var (now, since) = (clock.GetUtcNow(), before.DownSince ?? before.FailedAt ?? clock.GetUtcNow());
        audit.Append(new ServerEvent(
            now,
            "store_answers",
            string.Create(CultureInfo.InvariantCulture, $"{store} answers again, after {(now - since).TotalSeconds:0} s")));
    }

    /// <param name="why">In the store's words.</param>
    /// <param name="so">What becomes of logins.</param>
    internal void Failed(string why, string so)
    {
        lock (gate)
        {
            var now = clock.GetUtcNow();
            condition = condition with
            {
                FailedAt = now,
                Failure = why,
                DownSince = condition.DownSince ?? now,
                Unanswered = condition.Unanswered + 1,
            };
            if (isToldDown || (wasTold && clock.GetElapsedTime(toldAt) < TellAgain))
                return;
            (isToldDown, wasTold, toldAt) = (true, true, clock.GetTimestamp());
        }

        audit.Append(new ServerEvent(clock.GetUtcNow(), "store_unavailable", $"{store}: {why}; {so}"));
    }
}

/// <summary>The health of each store, by what the configuration calls it.</summary>
public sealed class StoreHealths(IAuditLog audit, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, StoreHealth> all = new(StringComparer.Ordinal);

    /// <summary>Takes how long each answer of each store took; null for nobody.</summary>
    internal Histogram<double>? Durations { private get; init; }

    /// <summary>One and the same for as long as the process lasts.</summary>
    public StoreHealth Of(string store) => all.GetOrAdd(store, name => new StoreHealth(name, audit, clock) { Durations = Durations });
}
