using Postern.Relay.Accounts;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Counts of what was done, each against a limit whose use flows back evenly over its time (GCRA). An implementation may be shared by
/// several servers. Safe from any thread. Where it cannot be reached, <see cref="IOException"/>.
/// </summary>
public interface ICounters
{
    /// <summary>How it stands now, and whether <paramref name="cost"/> more would fit. Nothing is counted.</summary>
    ValueTask<CounterLevel> PeekAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct);

    /// <summary>Counts <paramref name="cost"/> if it fits whole, else nothing; no two callers get the same room.</summary>
    ValueTask<CounterLevel> TakeAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct);

    /// <summary>What <c>limits</c> of the configuration count in; unknown where nobody keeps such counts.</summary>
    IWindowCounters Windows => UnknownWindows.Instance;
}

/// <summary>What is counted, for whom.</summary>
/// <param name="What">A word of the program's own, such as <c>messages</c>.</param>
/// <param name="Whose">An account or a network; it may hold anything that is visible.</param>
public readonly record struct CounterKey(string What, string Whose);

/// <summary>How a count stands.</summary>
/// <param name="Fits">What was asked for fits; with a take it has been counted.</param>
/// <param name="Used">Of the limit, rounded up; after a take with what was taken.</param>
/// <param name="Wait">How long until it would fit; zero where it fits.</param>
public readonly record struct CounterLevel(bool Fits, int Used, TimeSpan Wait)
{
    /// <summary>False where the counts are kept by a server that is not asked here; then everything fits.</summary>
    public bool IsKnown { get; init; } = true;
}

/// <summary>For a dry run without the server, which alone knows the counts.</summary>
public sealed class UnknownCounters : ICounters
{
    private static readonly CounterLevel Unknown = new(Fits: true, Used: 0, TimeSpan.Zero) { IsKnown = false };

    private UnknownCounters()
    {
    }

    public static UnknownCounters Instance { get; } = new();

    public ValueTask<CounterLevel> PeekAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) => new(Unknown);

    public ValueTask<CounterLevel> TakeAsync(CounterKey key, RateLimit limit, int cost, CancellationToken ct) => new(Unknown);
}
