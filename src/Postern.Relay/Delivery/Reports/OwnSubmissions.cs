using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// Messages that came here lately from somebody who is vouched for, by a hash of queue ID and sender. One that is met again, by the ID in a
/// Received field of another message, has come round, and its sender may hear of that, once. Fixed in size: an older one gives way. No
/// lock.
/// </summary>
internal sealed class OwnSubmissions
{
    private const int Slots = 16 * 1024;

    private readonly long[] hashes = new long[Slots];

    public void Note(Envelope envelope)
    {
        if (envelope is { IsInbound: false, Client: not null, Sender.IsNull: false })
        {
            var hash = HashOf(envelope.Id, envelope.Sender.Address);
            Volatile.Write(ref hashes[hash & (Slots - 1)], hash);
        }
    }

    /// <summary>True once for each submission.</summary>
    public bool Take(QueueId id, string sender)
    {
        var hash = HashOf(id, sender);
        return Interlocked.CompareExchange(ref hashes[hash & (Slots - 1)], 0, hash) == hash;
    }

    /// <summary>By hashes whose keys are this process's own, so that nobody outside makes two alike.</summary>
    private static long HashOf(QueueId id, string sender) =>
        ((long)HashCode.Combine(id.Value, sender) << 32) | (uint)(sender.GetHashCode(StringComparison.Ordinal) ^ id.Value.GetHashCode());
}
