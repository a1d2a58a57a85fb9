using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Policy.Counters;

namespace Postern.Relay.Delivery.Pools;

/// <summary>
/// Which source of a pool the next connection comes from: the one with the fewest open, in turn among equals, that may send now. Counts of
/// messages outlast a restart; those of connections are of this server. May be called from any thread.
/// </summary>
internal sealed class EgressPools(ICounters counters, TimeProvider clock)
{
    private const string What = "egress";

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, int> open = [];
    private volatile FrozenDictionary<string, EgressPool> pools = FrozenDictionary<string, EgressPool>.Empty;
    private int turn = -1;

    public void Apply(DeliveryOptions options) => pools = options.Pools;

    /// <summary>A source for one connection; else why there is none now.</summary>
    /// <param name="family">Of the address that is to be connected to.</param>
    public async ValueTask<EgressTake> TakeAsync(string name, AddressFamily family, CancellationToken ct)
    {
        if (!pools.TryGetValue(name, out var pool))
            return new EgressTake.None($"there is no pool {name}", IsOfFamily: false);
        EgressSource[] sources = [.. pool.Sources.Where(s => s.Address.AddressFamily == family)];
        if (sources.Length == 0)
            return new EgressTake.None($"no source of {name} reaches an address of this family", IsOfFamily: true);
        var why = new List<string>();
        foreach (var source in InOrder(sources))
        {
            if (await WhyNotAsync(source, ct).ConfigureAwait(false) is { } reason)
                why.Add($"{source.Address} {reason}");
            else if (TryOpen(source))
                return new EgressTake.Source(new EgressLease(this, source));
            else
                why.Add(string.Create(CultureInfo.InvariantCulture, $"{source.Address} has its {source.Connections} connections"));
        }

        return new EgressTake.None($"no source of {name} may send now: {string.Join("; ", why)}", IsOfFamily: false);
    }

    /// <summary>Counts a message; false where the source may send no more.</summary>
    public async ValueTask<bool> CountAsync(EgressSource source, CancellationToken ct) =>
        source.LimitAt(clock.GetUtcNow()) is not { } limit
        || (limit.Count > 0 && (await counters.TakeAsync(KeyOf(source), limit, cost: 1, ct).ConfigureAwait(false)).Fits);

    public void Close(EgressSource source)
    {
        lock (gate)
        {
            if (--open[source.Address] == 0)
                open.Remove(source.Address);
        }
    }

    private static CounterKey KeyOf(EgressSource source) => new(What, source.Address.ToString());

    private async ValueTask<string?> WhyNotAsync(EgressSource source, CancellationToken ct)
    {
        if (source.LimitAt(clock.GetUtcNow()) is not { } limit)
            return null;
        if (limit.Count == 0)
            return string.Create(CultureInfo.InvariantCulture, $"begins on {source.WarmUp!.Since:yyyy-MM-dd}");
        return (await counters.PeekAsync(KeyOf(source), limit, cost: 1, ct).ConfigureAwait(false)).Fits ? null : $"has sent its {limit}";
    }

    private EgressSource[] InOrder(EgressSource[] sources)
    {
        lock (gate)
        {
            var first = turn = (turn + 1) % int.MaxValue;
            return [.. Enumerable.Range(0, sources.Length).Select(i => sources[(i + (first % sources.Length)) % sources.Length])
                .OrderBy(s => open.GetValueOrDefault(s.Address))];
        }
    }

    private bool TryOpen(EgressSource source)
    {
        lock (gate)
        {
            var now = open.GetValueOrDefault(source.Address);
            if (source.Connections > 0 && now >= source.Connections)
                return false;
            open[source.Address] = now + 1;
            return true;
        }
    }
}

/// <summary>What asking for a source came to.</summary>
internal abstract record EgressTake
{
    private EgressTake()
    {
    }

    public sealed record Source(EgressLease Lease) : EgressTake;

    /// <param name="IsOfFamily">Another address of the host may have one.</param>
    public sealed record None(string Why, bool IsOfFamily) : EgressTake;
}

/// <summary>A source while a connection comes from it.</summary>
internal sealed class EgressLease(EgressPools pools, EgressSource source) : IDisposable
{
    private bool isClosed;

    public EgressSource Source => source;

    /// <inheritdoc cref="EgressPools.CountAsync"/>
    public ValueTask<bool> CountAsync(CancellationToken ct) => pools.CountAsync(source, ct);

    public void Dispose()
    {
        if (isClosed)
            return;
        isClosed = true;
        pools.Close(source);
    }
}
