using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Admin;

/// <summary>Answers what is in the queue. Needs the spool; and from a running server, whether it has no route at all.</summary>
/// <param name="hasNoRoute">Null where no server runs: then nobody knows.</param>
/// <param name="suspensions">Null where nobody knows.</param>
/// <param name="bounces">What refusals are called now; null for the table that ships.</param>
/// <param name="waitsFor">What a message waits for whose time has come; null where nobody knows.</param>
public sealed class QueueQueries(
    ISpool spool,
    Func<bool>? hasNoRoute = null,
    Suspensions? suspensions = null,
    Func<BounceTable>? bounces = null,
    Func<SpoolEntry, string?>? waitsFor = null)
{
    /// <param name="limit">How many items at most; the total counts all.</param>
    /// <param name="after">Begins behind this id, for the next page; null for the first.</param>
    public async ValueTask<QueuePage> ListAsync(QueueFilter filter, int limit, QueueId? after, CancellationToken ct)
    {
        var page = await spool.ListAsync(filter, after, limit, ct);
        // What is all there need not be counted once more.
        var total = after is null && page.Count < limit ? page.Count : await spool.CountAsync(filter, ct);
        return new QueuePage(total, [.. page.Select(Describe)]);
    }

    /// <summary>How many messages a filter meets now.</summary>
    public ValueTask<int> MatchAsync(QueueFilter filter, CancellationToken ct) => spool.CountAsync(filter, ct);

    /// <summary>Counts what waits.</summary>
    /// <param name="most">Destinations that are named, those with the most recipients first.</param>
    public async ValueTask<QueueStatistics> CountAsync(QueueFilter filter, int most, CancellationToken ct)
    {
        const int Page = 1000;
        var count = new QueueCount(suspensions);
        QueueId? after = null;
        while (await spool.ListAsync(filter, after, Page, ct) is { Count: > 0 } page)
        {
            foreach (var entry in page)
                count.Add(entry);
            after = page[^1].Envelope.Id;
        }

        return count.ToStatistics(most);
    }

    /// <summary>Null when the message is not there.</summary>
    public async ValueTask<QueueItem?> FindAsync(QueueId id, CancellationToken ct) =>
        await spool.FindAsync(id, ct) is { } entry ? Describe(entry) : null;

    private QueueItem Describe(SpoolEntry entry)
    {
        var (envelope, state) = (entry.Envelope, entry.State);
        var isParked = hasNoRoute?.Invoke() == true;
        return new QueueItem
        {
            Id = envelope.Id.ToString(),
            ArrivedAt = envelope.ArrivedAt,
            State = state.Held ? state.HeldByServerAt is null ? "held" : "held (errors here)"
                : isParked ? "no route"
                : suspensions?.HoldsAll(envelope, state) == true ? "suspended"
                : state.Attempts > 0 ? "deferred"
                : "waiting",
            Sender = envelope.Sender.Address,
            Size = entry.Size,
            Login = envelope.Login,
            Tenant = envelope.Tenant,
            Client = envelope.Client?.ToString(),
            Listener = envelope.Listener,
            Attempts = state.Attempts,
            NextAttempt = isParked || state is { Held: true, HeldByServerAt: null } ? null : state.NextAttempt,
            WaitsFor = waitsFor?.Invoke(entry),
            EnvelopeId = envelope.Parameters.EnvelopeId,
            HoldUntil = envelope.HeldUntil,
            HeldRule = state.Held ? state.HeldFor?.Rule : null,
            HeldReason = state.Held ? state.HeldFor?.Text : null,
            HeldAt = state.Held ? state.HeldFor?.At : null,
            Via = state.Via,
            KeepSeconds = (long?)envelope.KeepFor?.TotalSeconds,
            ExpandedFrom = envelope.Expanded?.Of.ToString(),
            ExpandedNames = envelope.Expanded is { } expanded ? [.. expanded.Through.Select(static r => r.Address)] : null,
            RequiresTls = envelope.Parameters.RequiresTls,
            TlsRequiredNo = envelope.IsTlsWaived,
            DeliverBy = envelope.Deadline?.At,
            DeliverByMode = envelope.Deadline is { } deadline ? deadline.IsNotify ? "notify" : "return" : null,
            Recipients = [.. envelope.Recipients.Select((mailbox, i) => Describe(mailbox, state.Recipients[i], envelope.ParametersOf(i)))],
        };
    }

    private QueueRecipient Describe(Mailbox mailbox, RecipientState state, RecipientParameters said) => new(
        mailbox.Address,
        Word(state.Status),
        state.LastReply,
        said.Notify == DsnNotify.Unspecified
            ? null
            : said.Notify.ToString().Replace(" ", string.Empty, StringComparison.Ordinal).ToLowerInvariant(),
        said.OriginalRecipient?.ToString())
    {
        Category = state is { Status: RecipientStatus.Pending or RecipientStatus.Failed, LastReply: { } reply, Answer: { } answer }
            ? (bounces?.Invoke() ?? BounceTable.Default).WordOf(answer, reply)
            : null,
    };

    private static string Word(RecipientStatus status) => status switch
    {
        RecipientStatus.Delivered => "delivered",
        RecipientStatus.Failed => "failed",
        RecipientStatus.Expanded => "expanded",
        _ => "pending",
    };
}
