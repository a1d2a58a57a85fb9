using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Postern.Relay.Delivery.Scheduling;
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

/// <summary>The rates that the mail of one destination waits for. Used under the gate of its queue.</summary>
/// <param name="call">Called when there is enough of a rate that was waited for; answers whether there still is need of it.</param>
internal sealed class QueueRates(Paces paces, NextHop hop, Func<bool> call)
{
    private readonly Dictionary<string, RateNeeds> needs = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, RateNeed> blocked = new(StringComparer.OrdinalIgnoreCase);
    private ShapingTable seen = paces.Table;
    private string? host;
    private RateNeed? stuckBy;

    /// <summary>Nothing of what waits may go now.</summary>
    public bool IsStuck => stuckBy is not null;

    /// <summary>It is not known yet which hosts the mail goes to, and the rates may depend on that.</summary>
    public bool IsHostUnknown => paces.Table.AsksForHosts && (host ??= paces.HostOf(hop)) is null;

    /// <summary>What holds everything up, for people; null where nothing does.</summary>
    public string? Why => stuckBy?.Words;

    /// <summary>How long everything waits at least.</summary>
    public TimeSpan Rest => stuckBy is { } need ? paces.Buckets.Until(need) : TimeSpan.Zero;

    /// <summary>A transaction waits from now on.</summary>
    public void Join(DeliveryJob job)
    {
        if (!blocked.ContainsKey(TenantOf(job)))
            stuckBy = null;
        if (NeedsOf(job) is not { Each.IsEmpty: false } all)
            return;
        job.CountedFor = all;
        paces.Buckets.NoteAtWork(all, 1);
    }

    /// <summary>It waits no more.</summary>
    public void Part(DeliveryJob job)
    {
        if (job.CountedFor is not { } all)
            return;
        job.CountedFor = null;
        paces.Buckets.NoteAtWork(all, -1);
    }

    /// <summary>Takes what the transaction needs, where there is enough of everything.</summary>
    public bool TryTake(DeliveryJob job)
    {
        if (blocked.ContainsKey(TenantOf(job)))
            return false;
        var all = NeedsOf(job);
        if (!all.Each.IsEmpty && paces.Buckets.TryTake(this, all, LoadOf(job), call) is { } lacking)
        {
            blocked[TenantOf(job)] = lacking;
            return false;
        }

        job.ChargedFor = all;
        return true;
    }

    /// <summary>Nothing was found that may go.</summary>
    public void Stick() => stuckBy = blocked.Values.FirstOrDefault();

    /// <summary>There may be enough now.</summary>
    public void Free()
    {
        blocked.Clear();
        stuckBy = null;
    }

    /// <summary>There is another table, or another host.</summary>
    public void Reset()
    {
        needs.Clear();
        Free();
    }

    /// <summary>It was not sent.</summary>
    public void Refund(DeliveryJob job)
    {
        if (job.ChargedFor is not { } all)
            return;
        job.ChargedFor = null;
        if (all.Each.IsEmpty)
            return;
        paces.Buckets.Return(all, LoadOf(job));
        Free();
    }

    /// <summary>It turns out which host the mail goes to: what it needs there is taken too; else what is to be waited for.</summary>
    public IHostTurn? Admit(DeliveryJob job, string found)
    {
        if (!paces.Table.AsksForHosts || string.Equals(host, found, StringComparison.OrdinalIgnoreCase))
            return null;
        host = found;
        Reset();
        Refund(job);
        if (TryTake(job))
            return null;
        return new RateTurn(blocked[TenantOf(job)].Words);
    }

    private RateNeeds NeedsOf(DeliveryJob job)
    {
        if (!ReferenceEquals(seen, paces.Table))
        {
            seen = paces.Table;
            needs.Clear();
        }

        // An exchanger that is known by now may be one of a group.
        if (seen.AsksForHosts && host is null && (host = paces.HostOf(hop)) is not null)
            needs.Clear();
        var tenant = TenantOf(job);
        if (needs.TryGetValue(tenant, out var known))
            return known;
        return needs[tenant] = paces.NeedsOf(hop, host ?? paces.HostOf(hop), job.Message.Envelope.Tenant);
    }

    private static string TenantOf(DeliveryJob job) => job.Message.Envelope.Tenant ?? string.Empty;

    private static RateLoad LoadOf(DeliveryJob job) => new(
        job.Recipients.IsDefault ? job.Message.Envelope.Recipients.Length : job.Recipients.Length, job.Message.Claim.Entry.Size);
}

/// <summary>Nothing is connected to, as a rate has to be waited for. Whoever waits is in its line already.</summary>
internal sealed class RateTurn(string why) : IHostTurn
{
    public string Why => why;

    [SuppressMessage("Style", "IDE0060", Justification = "The line is another.")]
    public void Await(NextHop hop, Func<bool> call)
    {
    }
}
