using System.Threading.RateLimiting;
using Postern.Web.Access;
using Postern.Web.Calls;

namespace Postern.Web.Doors;

/// <summary>How often somebody may call: by the key, else the session, else the address.</summary>
internal sealed class CallBudgets : IDisposable
{
    private readonly PartitionedRateLimiter<(Route Route, Caller Caller)> reads = Bucket(burst: 100, perSecond: 20);
    private readonly PartitionedRateLimiter<(Route Route, Caller Caller)> writes = Bucket(burst: 20, perSecond: 5);

    private readonly PartitionedRateLimiter<(Route Route, Caller Caller)> searches =
        PartitionedRateLimiter.Create<(Route Route, Caller Caller), string>(static call => call.Route.IsSearch
            ? RateLimitPartition.GetConcurrencyLimiter(
                call.Caller.Budget, static _ => new ConcurrencyLimiterOptions { PermitLimit = 4, QueueLimit = 8 })
            : RateLimitPartition.GetNoLimiter(string.Empty));

    /// <summary>To be disposed when the call is answered; the objection where there is no room.</summary>
    public async ValueTask<(RateLimitLease? Turn, Answer? Objection)> TakeAsync(Route route, Caller caller, CancellationToken ct)
    {
        using var lease = (route.Changes ? writes : reads).AttemptAcquire((route, caller));
        if (!lease.IsAcquired)
            return (null, TooMany(lease));
        var turn = await searches.AcquireAsync((route, caller), 1, ct);
        if (turn.IsAcquired)
            return (turn, null);
        using (turn)
            return (null, TooMany(turn));
    }

    public void Dispose()
    {
        reads.Dispose();
        writes.Dispose();
        searches.Dispose();
    }

    private static Answer TooMany(RateLimitLease lease)
    {
        var after = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 1;
        return new Answer.Refused(Problems.TooMany.Of($"There is room again in {after} s.") with { RetryAfter = after });
    }

    private static PartitionedRateLimiter<(Route Route, Caller Caller)> Bucket(int burst, int perSecond) =>
        PartitionedRateLimiter.Create<(Route Route, Caller Caller), string>(call => RateLimitPartition.GetTokenBucketLimiter(
            call.Caller.Budget,
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = burst, TokensPerPeriod = perSecond, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0,
            }));
}
