using System.Diagnostics.CodeAnalysis;
using Postern.Relay.Delivery.Scheduling;

namespace Postern.Relay.Delivery.Shaping;

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
