using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;

namespace Postern.Web.Documents;

/// <summary>Finds messages and refusals by what is known of them, and how each of them stands now.</summary>
/// <param name="queue">Null where there is no queue to ask.</param>
internal sealed class MessageSearch(AuditSearch search, QueueQueries? queue, TimeProvider clock)
{
    /// <summary>The time a page has; then it answers with what it has found.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Messages that were accepted, and refusals: what lists of messages are of.</summary>
    public static readonly ImmutableArray<string> Beginnings = ["accepted", "refused", "refuse"];

    /// <summary>Between an id and the event of its acceptance.</summary>
    private static readonly TimeSpan LongestTransaction = TimeSpan.FromDays(1);

    /// <param name="query">Narrowed to what may be seen. Of events that are about one message, one is shown.</param>
    /// <exception cref="IOException">The log cannot be read; so does <see cref="UnauthorizedAccessException"/>.</exception>
    public async ValueTask<MessageList> PageAsync(AuditQuery query, AuditCursor? after, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        var page = await search.PageAsync(query, after, Patience, clock, ct);
        var rows = ImmutableArray.CreateBuilder<MessageRow>();
        var ids = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var audit in page.Events)
        {
            var isLate = clock.GetElapsedTime(begun) >= Patience;
            if (await RowAsync(audit, ids, isLate, query.Tenant, ct) is { } row)
                rows.Add(row);
        }

        return new MessageList(rows.DrainToImmutable(), page.Next?.ToString(), page.SearchedBackTo);
    }

    private async ValueTask<MessageRow?> RowAsync(
        AuditEvent audit, HashSet<string> ids, bool isLate, string? tenant, CancellationToken ct)
    {
        switch (audit)
        {
            case AcceptedEvent accepted:
                return ids.Add(accepted.QueueId) ? await StandsAsync(Row(accepted), accepted, isLate, ct) : null;
            case DecisionEvent { Outcome: DecisionOutcome.Refuse } decision:
                return new MessageRow(decision.At, "refused")
                {
                    Ref = decision.Ref,
                    Sender = decision.Sender,
                    Recipient = decision.Recipient,
                    Client = decision.Client,
                    Login = decision.User,
                    Rule = decision.Rule,
                    LastReply = decision.Reply,
                };
            case RefusedEvent refused:
                return new MessageRow(refused.At, "refused")
                {
                    Client = refused.Client, Login = refused.User, Rule = refused.Verb, LastReply = refused.Reply,
                };
            case DeliveryEvent delivery:
                if (!ids.Add(delivery.QueueId))
                    return null;
                var row = new MessageRow(delivery.At, EventWord.Of(delivery.Outcome))
                {
                    Id = delivery.QueueId, Recipient = delivery.Recipient, LastReply = delivery.Reply,
                };
                return isLate || await AcceptedAsync(delivery.QueueId, tenant, ct) is not { } origin
                    ? row
                    : row with { Sender = origin.Sender, Client = origin.Client, Login = origin.User };
            default:
                return null;
        }
    }

    private static MessageRow Row(AcceptedEvent accepted) => new(accepted.At, State: null)
    {
        Id = accepted.QueueId,
        Sender = accepted.Sender,
        Recipient = accepted.Recipients.IsDefaultOrEmpty ? null : accepted.Recipients[0],
        MoreRecipients = Math.Max(0, (accepted.Recipients.IsDefault ? 0 : accepted.Recipients.Length) + accepted.MoreRecipients - 1),
        Client = accepted.Client,
        Login = accepted.User,
    };

    /// <summary>How a message stands: one look into the queue, and where it is not there, one into the log.</summary>
    private async ValueTask<MessageRow> StandsAsync(MessageRow row, AcceptedEvent accepted, bool isLate, CancellationToken ct)
    {
        if (isLate || !QueueId.TryParse(accepted.QueueId, out var id))
            return row;
        if (queue is not null && await queue.FindAsync(id, ct) is { } queued)
            return row with
            {
                State = queued.State,
                LastReply = queued.Recipients.FirstOrDefault(static r => r is { Status: "pending", LastReply: not null })?.LastReply,
            };
        var events = new List<AuditEvent>();
        var query = new AuditQuery { Kinds = AuditKind.Mail | AuditKind.Admin, QueueId = accepted.QueueId, Since = accepted.At };
        await foreach (var audit in search.FindAsync(query, ct))
            events.Add(audit);
        events.Reverse();
        var fates = MessageFates.Of(accepted, events, queued: null);
        var word = MessageFates.Overall(fates);
        return row with { State = word, LastReply = fates.FirstOrDefault(fate => fate.State == word)?.LastReply };
    }

    private async ValueTask<AcceptedEvent?> AcceptedAsync(string queueId, string? tenant, CancellationToken ct)
    {
        if (!QueueId.TryParse(queueId, out var id))
            return null;
        var at = id.CreatedAt;
        var query = new AuditQuery
        {
            Kinds = AuditKind.Mail,
            QueueId = queueId,
            Outcome = "accepted",
            Tenant = tenant,
            Since = at - DateTimeOffset.MinValue > LongestTransaction ? at - LongestTransaction : null,
            Until = DateTimeOffset.MaxValue - at > LongestTransaction ? at + LongestTransaction : null,
            Limit = 1,
        };
        await foreach (var audit in search.FindAsync(query, ct))
            return audit as AcceptedEvent;
        return null;
    }
}
