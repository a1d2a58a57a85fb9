using Postern.Relay.Accounts.Protection;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Counts of what was done, each against a limit whose use flows back evenly over its time (GCRA). An implementation may be shared by several servers. Safe from
/// any thread. Where it cannot be reached, <see cref="IOException"/>.
/// </summary>
public interface ICounters
{
    /// <summary>How it stands now, and whether <paramref name="cost"/> more would fit. Nothing is counted.</summary>
    ValueTask<CounterLevel> PeekAsync(CounterKey key, LoginBudget limit, int cost, CancellationToken ct);

    /// <summary>Counts <paramref name="cost"/> if it fits whole, else nothing; no two callers get the same room.</summary>
    ValueTask<CounterLevel> TakeAsync(CounterKey key, LoginBudget limit, int cost, CancellationToken ct);
}
