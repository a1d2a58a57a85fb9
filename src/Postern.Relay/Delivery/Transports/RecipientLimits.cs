namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// How many recipients a host took in one transaction before it said that there were too many (RFC 5321 §4.5.3.1.10): it is not sent more
/// for an hour, as those who refuse many hang up on who goes on. May be called from any thread.
/// </summary>
internal sealed class RecipientLimits(TimeProvider clock)
{
    /// <summary>Hosts of which that is known; beyond that it is learnt anew.</summary>
    private const int Most = 10_000;

    private static readonly TimeSpan KnownFor = TimeSpan.FromHours(1);

    private readonly Lock gate = new();
    private readonly Dictionary<(string Host, int Port), Limit> limits = [];
    private volatile bool isAny;

    /// <param name="taken">Recipients that it took before it said so, at least 1.</param>
    /// <param name="refusal">What it said.</param>
    public void Learn(HopEndpoint endpoint, int taken, Outcome.Deferred refusal)
    {
        lock (gate)
        {
            if (limits.Count >= Most)
                limits.Clear();
            limits[(endpoint.Host, endpoint.Address.Port)] = new Limit(taken, refusal, clock.GetTimestamp());
            isAny = true;
        }
    }

    /// <summary>What is known of a host; null where nothing is.</summary>
    public Limit? Of(HopEndpoint endpoint)
    {
        if (!isAny)
            return null;
        lock (gate)
        {
            return limits.TryGetValue((endpoint.Host, endpoint.Address.Port), out var limit)
                && clock.GetElapsedTime(limit.LearntAt) < KnownFor
                    ? limit
                    : null;
        }
    }

    /// <param name="Refusal">What it said to one more.</param>
    internal sealed record Limit(int Recipients, Outcome.Deferred Refusal, long LearntAt);
}
