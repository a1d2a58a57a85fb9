using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;

namespace Postern.Relay.Runtime;

/// <summary>
/// Tells again what a crash took out of the event log: what the spool holds is compared with the end of the log, and events whose ids are
/// missing there are written, with the same ids and as much of them as the spool knows. Then the content of messages whose delivery is over
/// is kept where they have that, and the spool forgets them.
/// </summary>
internal static class EventRecovery
{
    private const int Page = 1_000;

    /// <summary>Events that are older than the newest in the log by more than this were synced before it.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    /// <summary>How far back is looked where the log has no event at all.</summary>
    private static readonly TimeSpan WithoutLog = TimeSpan.FromHours(1);

    /// <summary>Before anything is accepted or delivered. How many events were written again.</summary>
    /// <param name="keeper">Null where no content is kept.</param>
    /// <param name="bounces">What refusals are called now; null for the table that ships.</param>
    public static async ValueTask<int> RunAsync(
        ISpool spool,
        string logs,
        IAuditLog audit,
        TimeProvider clock,
        CancellationToken ct,
        IContentKeeper? keeper = null,
        BounceTable? bounces = null)
    {
        var search = new AuditSearch(logs);
        List<SpoolEntry> ended = [.. await spool.ListEndedAsync(ct)];
        if (ended.Count == 0 && spool.Count == 0)
            return 0;
        var missing = new Dictionary<string, AuditEvent>(StringComparer.Ordinal);
        bounces ??= BounceTable.Default;
        try
        {
            var newest = await search.FindAsync(new AuditQuery { Kinds = AuditKind.Mail, Limit = 1 }, ct).FirstOrDefaultAsync(ct);
            var since = (newest?.At ?? clock.GetUtcNow() - WithoutLog) - Margin;
            foreach (var entry in ended)
                AddTo(missing, entry, since, bounces);
            var after = default(Envelopes.QueueId?);
            while (await spool.ListAsync(QueueFilter.Everything, after, Page, ct) is { Count: > 0 } page)
            {
                foreach (var entry in page)
                {
                    AddTo(missing, entry, since, bounces);
                    // The report of its last attempt was stored, and with it what that came to; then the process ended.
                    if (entry.State.IsFinished)
                        ended.Add(entry);
                }

                after = page[^1].Envelope.Id;
            }

            if (missing.Count > 0)
                await TakeOutKnownAsync(missing, search, since, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whether they are there cannot be seen: told twice is better than never.
        }

        foreach (var audited in missing.Values.OrderBy(static e => e.At))
            audit.Append(audited);
        if (ended.Count > 0)
        {
            await audit.SafeAsync(ct);
            if (keeper is not null && ended.FindAll(static entry => entry.Envelope.KeepFor is not null) is { Count: > 0 } toKeep)
                await keeper.KeepAsync(spool, toKeep, ct);
            await spool.RemoveAllAsync([.. ended.Select(static entry => entry.Envelope.Id)], ct);
        }

        return missing.Count;
    }

    private static async ValueTask TakeOutKnownAsync(
        Dictionary<string, AuditEvent> missing, AuditSearch search, DateTimeOffset since, CancellationToken ct)
    {
        var kinds = missing.Values.Aggregate(AuditKind.None, static (all, one) => all | one.Kind);
        await foreach (var known in search.FindAsync(new AuditQuery { Kinds = kinds, Since = since - Margin }, ct))
        {
            missing.Remove(known.Id);
            // Older versions told of a recipient that was given up as of one that is deferred a last time. Which of the message it is does
            // not stand in the log.
            if (known is DeliveryEvent { Outcome: DeliveryOutcome.Deferred, NextAttempt: null } last
                && missing.Values.FirstOrDefault(one => IsOfSameAttempt(one, last)) is { } failed)
                missing.Remove(failed.Id);
        }
    }

    private static bool IsOfSameAttempt(AuditEvent one, DeliveryEvent last) =>
        one is DeliveryEvent { Outcome: DeliveryOutcome.Failed } failed
        && failed.Attempt == last.Attempt
        && failed.QueueId == last.QueueId
        && failed.Recipient == last.Recipient;

    private static void AddTo(Dictionary<string, AuditEvent> events, SpoolEntry entry, DateTimeOffset since, BounceTable bounces)
    {
        var (envelope, state) = (entry.Envelope, entry.State);
        // What this server writes itself is told of as a bounce, and not as accepted.
        if (envelope.ArrivedAt >= since && envelope.Expanded is not null)
        {
            Add(events, DeliveryEvents.ExpandedInto(entry));
            Add(events, DeliveryEvents.ExpansionOf(entry, envelope.ArrivedAt));
        }
        else if (envelope.ArrivedAt >= since && envelope.Listener is not null)
            Add(events, AcceptedAgain(entry));
        if (envelope.ReportOf is { } report && envelope.ArrivedAt >= since)
            Add(
                events,
                new BounceEvent(
                    envelope.ArrivedAt, report.About.ToString(), envelope.Id.ToString(), envelope.Recipients[0].Address, report.Reason));
        if (state.HeldByServerAt is { } held && held >= since)
            Add(events, DeliveryEvents.Held(held, envelope.Id, state.NextAttempt, errors: null));
        if (state.TriedAt is not { } at || at < since)
            return;
        foreach (var reason in state.NotReported?.Split('\n') ?? [])
            Add(events, new BounceEvent(at, envelope.Id.ToString(), BounceId: null, envelope.Sender.Address, reason));
        // What earlier attempts came to was told long before this one.
        var last = Math.Max(state.Attempts, state.Recipients.Max(static r => r.Attempt));
        for (var i = 0; i < state.Recipients.Length; i++)
        {
            var recipient = state.Recipients[i];
            var told = new DeliveryEvent(
                at,
                envelope.Id.ToString(),
                envelope.Recipients[i].Address,
                DeliveryOutcome.Deferred,
                last,
                recipient.LastReply ?? string.Empty)
            {
                RecipientIndex = i,
                Code = recipient.Answer?.Code,
                Status = recipient.Answer?.Status,
                Category = recipient is { Answer: { } answer, Status: not RecipientStatus.Delivered }
                    ? bounces.WordOf(answer, recipient.LastReply ?? string.Empty)
                    : null,
            };
            if (recipient is { Status: RecipientStatus.Pending, LastReply: not null } && last == state.Attempts)
                Add(events, told with { NextAttempt = state.NextAttempt });
            else if (recipient.Attempt > 0 && recipient.Attempt == last)
                Add(
                    events,
                    told with
                    {
                        Outcome = recipient.Status == RecipientStatus.Delivered ? DeliveryOutcome.Delivered : DeliveryOutcome.Failed,
                    });
        }
    }

    private static AcceptedEvent AcceptedAgain(SpoolEntry entry)
    {
        var envelope = entry.Envelope;
        var origin = new EventOrigin("-", envelope.Listener ?? "-", envelope.Client?.ToString() ?? "-")
        {
            User = envelope.Login,
            Tenant = envelope.Tenant,
        };
        return new AcceptedEvent(
            envelope.ArrivedAt,
            origin,
            envelope.Id.ToString(),
            envelope.Sender.Address,
            [.. envelope.Recipients.Select(static r => r.Address)],
            entry.Size)
        {
            EnvelopeId = envelope.Parameters.EnvelopeId,
            Cause = envelope is { Login: null, Client: { } client }
                ? new AuditCause(AuditKind.Mail, client, Login: null, "accepted") { IsMessage = true }
                : null,
        };
    }

    private static void Add(Dictionary<string, AuditEvent> events, AuditEvent audit) => events.TryAdd(audit.Id, audit);
}
