using System.Collections.Concurrent;
using Postern.Relay.Delivery.Dns;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Sts;

/// <summary>
/// Which MTA-STS policy a domain has now (RFC 8461 §3, §5.1): the one that is kept, unless its record announces another that can be
/// fetched. A record that is gone or cannot be looked up, and a fetch that fails, leave the one that is kept.
/// </summary>
#pragma warning disable CA1001 // a semaphore whose wait handle is never asked for holds nothing to release
internal sealed class StsPolicies(DnsCache dns, StsFetch fetch, StsCache cache, TimeProvider clock)
#pragma warning restore CA1001
{
    private const int FetchesAtOnce = 8;

    /// <summary>Failures that are remembered.</summary>
    private const int MostFailures = 10_000;

    private static readonly TimeSpan FailureLasts = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RenewAfter = TimeSpan.FromDays(1);
    private static readonly TimeSpan RenewWhileUsed = TimeSpan.FromDays(60);
    private static readonly TimeSpan UseIsNoted = TimeSpan.FromHours(12);

    private readonly Dictionary<Domain, Task<StsFetched>> fetches = [];
    private readonly ConcurrentDictionary<Domain, (string Id, StsFetched.Failed Failed, long At)> failures = new();
    private readonly SemaphoreSlim slots = new(FetchesAtOnce);

    public async ValueTask<StsAnswer> FindAsync(Domain domain, CancellationToken ct)
    {
        var kept = cache.Find(domain);
        var record = await dns.QueryAsync(StsRecord.NameOf(domain.Text), DnsType.Txt, ct).ConfigureAwait(false);
        var id = record.Status == DnsStatus.Found ? StsRecord.IdOf(record.Records) : null;
        if (kept is not null && (id is null || id == kept.Id))
        {
            if (clock.GetUtcNow() - kept.UsedAt > UseIsNoted)
                cache.Put(domain, kept with { UsedAt = clock.GetUtcNow() });
            return Answer(kept);
        }

        if (id is null)
            return new StsAnswer.None(
                record.Status == DnsStatus.Unavailable
                    ? $"no answer about a policy of {domain}, and none is kept: {record.Detail}"
                    : $"{domain} announces no MTA-STS policy",
                Fault: null);
        switch (await FetchAsync(domain, id, ct).ConfigureAwait(false))
        {
            case StsFetched.Policy(var policy):
                return Answer(Keep(domain, policy, id, clock.GetUtcNow()));
            case StsFetched.Failed(var fault, var reason):
                return kept is not null
                    ? Answer(kept)
                    : new StsAnswer.None($"the MTA-STS policy of {domain} cannot be had: {reason}", fault);
            default:
                throw new InvalidOperationException("Unknown result");
        }
    }

    /// <summary>
    /// Fetches again what is a day old, or has half of its time behind it, so that it never runs out while mail goes there.
    /// </summary>
    public async ValueTask RenewAsync(CancellationToken ct)
    {
        foreach (var (domain, kept) in cache.All())
        {
            var age = clock.GetUtcNow() - kept.FetchedAt;
            if ((age < RenewAfter && age < kept.Policy.MaxAge / 2) || clock.GetUtcNow() - kept.UsedAt > RenewWhileUsed)
                continue;
            var record = await dns.QueryAsync(StsRecord.NameOf(domain.Text), DnsType.Txt, ct).ConfigureAwait(false);
            var id = (record.Status == DnsStatus.Found ? StsRecord.IdOf(record.Records) : null) ?? kept.Id;
            if (await FetchAsync(domain, id, ct).ConfigureAwait(false) is StsFetched.Policy(var policy))
                Keep(domain, policy, id, kept.UsedAt);
        }
    }

    private StsKept Keep(Domain domain, StsPolicy policy, string id, DateTimeOffset usedAt)
    {
        var kept = new StsKept(policy, id, clock.GetUtcNow(), usedAt);
        cache.Put(domain, kept);
        return kept;
    }

    private static StsAnswer Answer(StsKept kept) => kept.Policy.Mode == StsMode.None
        ? new StsAnswer.None("the MTA-STS policy of the domain has mode none", Fault: null)
        : new StsAnswer.Policy(kept);

    /// <summary>One fetch of a domain at a time, and after a failure none of the same policy for some minutes (§3.3).</summary>
    private async ValueTask<StsFetched> FetchAsync(Domain domain, string id, CancellationToken ct)
    {
        if (failures.TryGetValue(domain, out var failure))
        {
            if (failure.Id == id && clock.GetElapsedTime(failure.At) < FailureLasts)
                return failure.Failed;
            failures.TryRemove(domain, out _);
        }

        Task<StsFetched>? underWay;
        lock (fetches)
        {
            if (!fetches.TryGetValue(domain, out underWay))
                fetches[domain] = underWay = Task.Run(() => FetchSharedAsync(domain), CancellationToken.None);
        }

        var result = await underWay.WaitAsync(ct).ConfigureAwait(false);
        if (result is StsFetched.Failed failed)
        {
            if (failures.Count >= MostFailures)
                failures.Clear();
            failures[domain] = (id, failed, clock.GetTimestamp());
        }

        return result;
    }

    private async Task<StsFetched> FetchSharedAsync(Domain domain)
    {
        await slots.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            // Nobody's own token: others wait for it too, and it has a deadline.
            return await fetch.RunAsync(domain, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
            lock (fetches)
                fetches.Remove(domain);
        }
    }
}

/// <summary>What a domain asks of who sends mail there.</summary>
internal abstract record StsAnswer
{
    private StsAnswer()
    {
    }

    /// <summary>Enforced or tried.</summary>
    public sealed record Policy(StsKept Kept) : StsAnswer;

    /// <param name="Fault">What kept a policy that is announced from being had; null where there is none.</param>
    public sealed record None(string Reason, TlsFault? Fault) : StsAnswer;
}
