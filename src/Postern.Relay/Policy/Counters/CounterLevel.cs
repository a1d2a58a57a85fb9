namespace Postern.Relay.Policy.Counters;

/// <summary>How a count stands.</summary>
/// <param name="Fits">What was asked for fits; with a take it has been counted.</param>
/// <param name="Used">Of the limit, rounded up; after a take with what was taken.</param>
/// <param name="Wait">How long until it would fit; zero where it fits.</param>
public readonly record struct CounterLevel(bool Fits, int Used, TimeSpan Wait)
{
    /// <summary>False where the counts are kept by a server that is not asked here; then everything fits.</summary>
    public bool IsKnown { get; init; } = true;
}
