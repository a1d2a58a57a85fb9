using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Explaining;

namespace Postern.Web.Documents;

/// <summary>Finds all that is known of one message: in the log, and in the queue while it is there.</summary>
/// <param name="queue">Null where there is no queue to ask.</param>
internal sealed class MessageLookup(AuditSearch search, QueueQueries? queue)
{
    /// <summary>Changes and notes of one message that are shown, the newest ones.</summary>
    private const int MostOthers = 500;

    /// <summary>How long before its acceptance the login of its session may have been.</summary>
    private static readonly TimeSpan LongestSession = TimeSpan.FromDays(1);

    /// <param name="tenant">Whose messages may be seen; null for all. One of somebody else is not there.</param>
    /// <param name="time">How a time is told in its sentence.</param>
    /// <returns>Null where nothing is known of it.</returns>
    /// <exception cref="IOException">The log cannot be read; so does <see cref="UnauthorizedAccessException"/>.</exception>
    public async ValueTask<MessageDocument?> FindAsync(
        QueueId id, string? tenant, Func<DateTimeOffset, string> time, CancellationToken ct)
    {
        var queued = queue is null ? null : await queue.FindAsync(id, ct);
        var known = await new Explainer(search).ExplainAsync(id.ToString(), ct) as Explanation.OfMessage;
        if (queued is null && known is null)
            return null;
        var accepted = known?.Accepted;
        if (tenant is not null && !string.Equals(accepted?.Tenant ?? queued?.Tenant, tenant, StringComparison.OrdinalIgnoreCase))
            return null;
        var others = tenant is null ? await OthersAsync(id, ct) : [];
        AuditEvent[] events = [.. (known?.Deliveries ?? []).Concat(others).OrderBy(static e => e.At)];
        var fates = MessageFates.Of(accepted, events, queued);
        return new MessageDocument
        {
            Id = id.ToString(),
            Summary = MessageSummary.Of(fates, accepted?.MoreRecipients ?? 0, queued, time),
            Accepted = accepted,
            Login = await LoginAsync(accepted, ct),
            Recipients = fates,
            Decisions = known?.Decisions ?? [],
            Deliveries = [.. events.OfType<DeliveryEvent>()],
            Reports = [.. events.OfType<BounceEvent>()],
            Others = [.. events.Where(static e => e is not (DeliveryEvent or BounceEvent))],
            Queue = queued,
        };
    }

    private async ValueTask<List<AuditEvent>> OthersAsync(QueueId id, CancellationToken ct)
    {
        var found = new List<AuditEvent>();
        var query = new AuditQuery
        {
            Kinds = AuditKind.Admin | AuditKind.Server, QueueId = id.ToString(), Limit = MostOthers,
        };
        await foreach (var audit in search.FindAsync(query, ct))
            found.Add(audit);
        return found;
    }

    private async ValueTask<LoginEvent?> LoginAsync(AcceptedEvent? accepted, CancellationToken ct)
    {
        if (accepted is not { User: not null } || accepted.At - DateTimeOffset.MinValue < LongestSession)
            return null;
        var query = new AuditQuery
        {
            Kinds = AuditKind.Auth,
            Session = accepted.Session,
            Outcome = EventWord.Of(AuthOutcome.Ok),
            Since = accepted.At - LongestSession,
            Until = accepted.At + TimeSpan.FromTicks(1),
            Limit = 1,
        };
        await foreach (var audit in search.FindAsync(query, ct))
            return audit as LoginEvent;
        return null;
    }
}
