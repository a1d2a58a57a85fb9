using Postern.Relay.Accounts.Protection;

namespace Postern.Relay.Policy.Counters;

/// <summary>For a dry run without the server, which alone knows the counts.</summary>
public sealed class UnknownCounters : ICounters
{
    private static readonly CounterLevel Unknown = new(Fits: true, Used: 0, TimeSpan.Zero) { IsKnown = false };

    private UnknownCounters()
    {
    }

    public static UnknownCounters Instance { get; } = new();

    public ValueTask<CounterLevel> PeekAsync(CounterKey key, LoginBudget limit, int cost, CancellationToken ct) => new(Unknown);

    public ValueTask<CounterLevel> TakeAsync(CounterKey key, LoginBudget limit, int cost, CancellationToken ct) => new(Unknown);
}
