using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Documents;

/// <summary>
/// Works out of the events and of the queue what became of each recipient: the list, the page and its sentence all say that.
/// </summary>
internal static class MessageFates
{
    private const string Removal = "queue remove";

    /// <param name="events">Of the message, the oldest first.</param>
    /// <param name="queued">Null where it is not in the queue.</param>
    public static ImmutableArray<RecipientFate> Of(AcceptedEvent? accepted, IReadOnlyList<AuditEvent> events, QueueItem? queued)
    {
        var fates = new List<RecipientFate>();
        var places = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var address in Addresses(accepted, events, queued))
        {
            if (places.TryAdd(address, fates.Count))
                fates.Add(new RecipientFate(address, "unknown", 0));
        }

        foreach (var audit in events)
        {
            if (audit is DeliveryEvent delivery)
                fates[places[delivery.Recipient]] = After(fates[places[delivery.Recipient]], delivery);
            else if (audit is ExpandedEvent { Recipients: { IsDefault: false } expanded })
                foreach (var address in expanded)
                    fates[places[address]] = fates[places[address]] with { State = "expanded" };
        }

        var isRemoved = queued is null && events.Any(static e => e is AdminEvent { Action: Removal });
        for (var i = 0; i < fates.Count; i++)
        {
            if (isRemoved && fates[i].State is "unknown" or "deferred")
                fates[i] = fates[i] with { State = "removed", NextAttempt = null };
            else if (queued is null && fates[i].State == "deferred")
                fates[i] = fates[i] with { State = "unknown", NextAttempt = null };
        }

        foreach (var recipient in queued?.Recipients ?? [])
            fates[places[recipient.Address]] = Waiting(fates[places[recipient.Address]], recipient, queued!);
        return [.. fates];
    }

    /// <summary>One word for all recipients together: that of the one who needs most looking after.</summary>
    public static string Overall(ImmutableArray<RecipientFate> fates)
    {
        string[] order = ["held", "held (errors here)", "no route", "suspended", "failed", "deferred", "unknown", "waiting", "removed"];
        return order.FirstOrDefault(word => fates.Any(fate => fate.State == word))
            ?? (fates.IsEmpty ? "unknown" : fates.Any(static f => f.State == "delivered") ? "delivered" : fates[0].State);
    }

    private static IEnumerable<string> Addresses(AcceptedEvent? accepted, IReadOnlyList<AuditEvent> events, QueueItem? queued)
    {
        foreach (var address in accepted is { Recipients: { IsDefault: false } named } ? named : [])
            yield return address;
        foreach (var recipient in queued?.Recipients ?? [])
            yield return recipient.Address;
        foreach (var audit in events)
        {
            if (audit is DeliveryEvent delivery)
                yield return delivery.Recipient;
            else if (audit is ExpandedEvent { Recipients: { IsDefault: false } expanded })
                foreach (var address in expanded)
                    yield return address;
        }
    }

    private static RecipientFate After(RecipientFate before, DeliveryEvent delivery) => before with
    {
        State = EventWord.Of(delivery.Outcome),
        Attempts = Math.Max(before.Attempts, delivery.Attempt),
        LastReply = delivery.Reply,
        Remote = delivery.Remote,
        Status = delivery.Status,
        Category = delivery.Category,
        TriedAt = delivery.At,
        NextAttempt = delivery.NextAttempt,
    };

    /// <summary>The queue knows it as of now; the log may be a moment behind.</summary>
    private static RecipientFate Waiting(RecipientFate known, QueueRecipient recipient, QueueItem queued) => known with
    {
        State = recipient.Status == "pending" ? queued.State : recipient.Status,
        Attempts = recipient.Status == "pending" ? Math.Max(known.Attempts, queued.Attempts) : known.Attempts,
        LastReply = recipient.LastReply ?? known.LastReply,
        Category = recipient.Category ?? known.Category,
        NextAttempt = recipient.Status == "pending" ? queued.NextAttempt : null,
    };
}
