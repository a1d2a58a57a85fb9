using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>One transaction to make: a message for those of its recipients that share a next hop.</summary>
/// <param name="Recipients">Indexes into the envelope's recipients; default: all of them.</param>
/// <param name="ReadyAt">When it began to wait for a connection; a timestamp of the clock.</param>
internal sealed record DeliveryJob(TrackedMessage Message, ImmutableArray<int> Recipients, long ReadyAt)
{
    /// <summary>The envelope index of the job's recipient <paramref name="i"/>.</summary>
    public int IndexOf(int i) => Recipients.IsDefault ? i : Recipients[i];
}
