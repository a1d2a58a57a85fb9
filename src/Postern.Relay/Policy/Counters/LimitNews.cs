using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// Tells the log of limits that are nearly used up, and of those that are. Of one limit and whom it is counted for one event of each kind
/// in a quarter of an hour; what strangers cause is within the log's budget beside that.
/// </summary>
internal sealed class LimitNews(IAuditLog audit, TimeProvider clock)
{
    private const int MostRemembered = 1_024;

    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(15);

    private readonly Lock gate = new();
    private readonly RecentKeys<(CounterKey Key, LimitState State)> told = new(MostRemembered, Pause, clock);

    /// <summary>Four fifths are used, or more.</summary>
    public static bool IsNear(RateLimit limit, in CounterLevel level) => level.IsKnown && level.Used * 5L >= limit.Count * 4L;

    /// <param name="key">Which limit, and whose.</param>
    /// <param name="make">Makes the event; asked only when it is to be told.</param>
    public void Tell<T>(CounterKey key, LimitState state, T about, Func<T, LimitEvent> make)
    {
        lock (gate)
        {
            if (told.Contains((key, state)))
                return;
            told.Add((key, state));
        }

        audit.Append(make(about));
    }

    /// <summary>Of what a rule counts.</summary>
    public void Tell(CounterKey key, RateLimit limit, in CounterLevel level, LimitState state, EnvelopeFacts facts) =>
        Tell(key, state, (At: clock.GetUtcNow(), key, limit, level.Used, state, facts), static about => new LimitEvent(
            about.At, about.key.What, about.state, about.key.Whose)
        {
            Allowed = about.limit.ToString(),
            Used = about.Used,
            Listener = about.facts.Listener,
            Client = about.facts.Client.ToString(),
            User = about.facts.Login,
            Tenant = about.facts.Tenant,
            Cause = new AuditCause(AuditKind.Server, about.facts.Client, about.facts.Login, "limit", about.key.What),
        });
}
