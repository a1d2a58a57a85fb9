using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Claims;

/// <summary>One message of a spool that keeps its index in memory, and its place in the order of what is due. Guarded by the spool's gate.</summary>
internal abstract class SpoolItem(QueueId id, SpoolEntry? entry)
{
    public QueueId Id { get; } = id;

    /// <summary>Null once removed.</summary>
    public SpoolEntry? Entry { get; set; } = entry;

    /// <summary>When it is due, in UTC ticks: the stored time, or another until the restart (<see cref="ISpool.RescheduleAsync"/>).</summary>
    public long Due { get; set; }

    /// <summary>Its place in the heap of <see cref="DueIndex"/>, or a negative number that only the index understands.</summary>
    public int Place { get; set; } = DueIndex.Nowhere;
}
