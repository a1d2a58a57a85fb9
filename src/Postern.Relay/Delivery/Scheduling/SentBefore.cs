using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// What was lately sent where, by a hash of queue id, recipient and next hop. A message whose trace names one that was sent to the same
/// next hop for the same recipient has come round: it would do so again and again. What comes back for another recipient (a list), or goes
/// on to another next hop (a filter), has not. Fixed in size: an older one gives way, and then the number of hops ends it. No lock.
/// </summary>
internal sealed class SentBefore
{
    private const int Slots = 32 * 1024;

    private readonly long[] hashes = new long[Slots];

    public void Note(QueueId id, Mailbox recipient, NextHop hop)
    {
        var hash = HashOf(id, recipient, hop);
        Volatile.Write(ref hashes[hash & (Slots - 1)], hash);
    }

    public bool Has(QueueId id, Mailbox recipient, NextHop hop)
    {
        var hash = HashOf(id, recipient, hop);
        return Volatile.Read(ref hashes[hash & (Slots - 1)]) == hash;
    }

    /// <summary>By hashes whose keys are this process's own, so that nobody outside makes two alike.</summary>
    private static long HashOf(QueueId id, Mailbox recipient, NextHop hop)
    {
        var address = recipient.Address.GetHashCode(StringComparison.OrdinalIgnoreCase);
        return ((long)HashCode.Combine(id.Value, address, hop) << 32) | (uint)HashCode.Combine(address, id.Value);
    }
}
