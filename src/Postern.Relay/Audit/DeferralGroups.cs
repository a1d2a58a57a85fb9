using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// Deferrals that wait to be written, those of one reason together: a destination that is away puts off all that waits for it, and each of
/// a million messages again and again. What stands in a line of its own is written when these have been, where it is about one of their
/// messages.
/// </summary>
internal sealed class DeferralGroups
{
    /// <summary>Of one line; a reader has it in memory.</summary>
    private const int MostParts = 512;

    private readonly Dictionary<DeliveryEvent, List<DeliveryEvent>> groups = [];
    private readonly HashSet<string> messages = new(StringComparer.Ordinal);

    /// <summary>Takes a deferral; false for every other event.</summary>
    /// <param name="write">Is given a group that is as long as one may be.</param>
    public bool TryTake(AuditEvent audit, Action<AuditEvent> write)
    {
        if (audit is not DeliveryEvent { Outcome: DeliveryOutcome.Deferred } deferral)
            return false;
        var reason = DeferralsEvent.Unshared(deferral);
        if (!groups.TryGetValue(reason, out var parts))
            groups.Add(reason, parts = []);
        parts.Add(deferral);
        messages.Add(deferral.QueueId);
        if (parts.Count == MostParts)
        {
            groups.Remove(reason);
            Write(parts, write);
        }

        return true;
    }

    /// <summary>What is told of the same message later must not stand before it.</summary>
    public bool HasAny(string? queueId) => queueId is not null && messages.Contains(queueId);

    /// <summary>Everything that was taken, and is forgotten then.</summary>
    public void WriteAll(Action<AuditEvent> write)
    {
        foreach (var parts in groups.Values)
            Write(parts, write);
        groups.Clear();
        messages.Clear();
    }

    /// <summary>What one message came to stands as it always did.</summary>
    private static void Write(List<DeliveryEvent> parts, Action<AuditEvent> write)
    {
        if (parts.Exists(part => part.QueueId != parts[0].QueueId))
            write(DeferralsEvent.Of(parts));
        else
            parts.ForEach(write);
    }
}
