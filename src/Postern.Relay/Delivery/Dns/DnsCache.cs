using System.Collections.Concurrent;

namespace Postern.Relay.Delivery.Dns;

/// <summary>
/// Answers kept as long as their TTL says, within bounds. Full, it forgets everything: refilling costs less than keeping order.
/// </summary>
internal sealed class DnsCache(DnsClient client, TimeProvider clock)
{
    private const int MaxEntries = 20_000;

    private static readonly TimeSpan ShortestTtl = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestTtl = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<(string Name, DnsType Type), (DnsAnswer Answer, DateTimeOffset Until)> entries = new();

    /// <summary>Asks those that the options name, in their time.</summary>
    public static DnsCache Of(DeliveryOptions options, TimeProvider clock) =>
        new(
            new DnsClient(
                new ResolverList(options.Resolvers, options.ResolversValidate, ResolvConf.Path, clock), options.ResolverTimeout, clock)
            {
                Instruments = options.Instruments,
            },
            clock);

    public async ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken ct)
    {
        var key = (name, type);
        if (entries.TryGetValue(key, out var kept) && kept.Until > clock.GetUtcNow())
            return kept.Answer;
        var answer = await client.QueryAsync(name, type, ct).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return answer;
        if (entries.Count >= MaxEntries)
            entries.Clear();
        entries[key] = (answer, clock.GetUtcNow() + TimeSpan.FromTicks(Math.Clamp(answer.Ttl.Ticks, ShortestTtl.Ticks, LongestTtl.Ticks)));
        return answer;
    }
}
