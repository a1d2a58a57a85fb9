using System.Globalization;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>
/// How fast mail may leave, by what the operator says: which rates a message has to wait for. May be called from any thread.
/// </summary>
/// <param name="hostOf">The host that a next hop leads to, where that is known.</param>
internal sealed class Paces(ShapingTable table, Func<NextHop, string?> hostOf, TimeProvider clock) : IAsyncDisposable
{
    private volatile ShapingTable table = table;

    public ShapingTable Table => table;

    public RateBuckets Buckets { get; } = new(clock);

    public string? HostOf(NextHop hop) => hostOf(hop);

    public void Apply(ShapingTable changed)
    {
        if (ReferenceEquals(table, changed))
            return;
        table = changed;
        Buckets.Clear();
    }

    /// <param name="host">The one that the hop leads to; null where that is not known.</param>
    public RateNeeds NeedsOf(NextHop hop, string? host, string? tenant) =>
        RateNeeds.Of(table.For(SubjectOf(hop, host, tenant)), hop.Name);

    /// <summary>A rate that enough of what is worked on waits for already; null where there is none.</summary>
    public RateLine? WhereFull(NextHop hop, Envelope envelope, int most)
    {
        var needs = NeedsOf(hop, HostOf(hop), envelope.Tenant);
        return needs.Each.IsEmpty ? null : Buckets.WhereMany(needs, most);
    }

    /// <summary>When to try again there.</summary>
    public RetrySchedule RetryOf(NextHop hop, string? tenant, RetrySchedule usual)
    {
        var applying = table.For(SubjectOf(hop, HostOf(hop), tenant));
        return usual with
        {
            First = ShapingTable.ValueOf(applying, ShapingKey.RetryFirst, usual.First),
            Greylisted = ShapingTable.ValueOf(applying, ShapingKey.Greylisted, usual.Greylisted),
        };
    }

    /// <summary>The rates that have not enough for one more now, or that somebody waits for.</summary>
    public IEnumerable<ShapingReportNow> Look(RateNeeds needs, DateTimeOffset now)
    {
        foreach (var need in needs.Each)
        {
            var (tokens, inLine) = Buckets.Look(need);
            if (tokens < 1 || inLine > 0)
                yield return new ShapingReportNow(
                    need.Words,
                    string.Create(CultureInfo.InvariantCulture, $"destinations that wait for it: {inLine}; the next goes"),
                    now + Buckets.Until(need));
        }
    }

    public ValueTask DisposeAsync() => Buckets.DisposeAsync();

    internal static ShapingSubject SubjectOf(NextHop hop, string? host, string? tenant = null) =>
        new((hop as NextHop.MailExchanger)?.Domain.Text, host, hop.Route, tenant);
}
