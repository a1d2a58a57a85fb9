using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Resting;

namespace Postern.Relay.Spool.Claims;

/// <summary>
/// One message of a spool that keeps its index in memory, and its place in the order of what is due. Guarded by the spool's gate.
/// </summary>
internal abstract class SpoolItem(QueueId id, SpoolEntry? entry)
{
    private RestingEntry kept = entry is null ? default : new RestingEntry(entry);

    public QueueId Id { get; } = id;

    /// <summary>Null once it is in no list. Made anew for whoever asks while the message is at rest.</summary>
    public SpoolEntry? Entry
    {
        get => kept.IsThere ? kept.ToEntry(Id) : null;
        set
        {
            kept.Free();
            kept = value is null ? default : new RestingEntry(value);
        }
    }

    /// <summary>To be made into its entry outside the gate. Not of a message that has none.</summary>
    public RestingEntry.Copy Copy => kept.ToCopy();

    /// <summary>How many it is to. Not of a message that has no entry.</summary>
    public int Recipients => kept.Recipients;

    public bool HasEntry => kept.IsThere;

    public Standing Standing => kept.Standing;

    /// <summary>
    /// When it is due, in UTC ticks: the stored time, or another until the restart (<see cref="ISpool.RescheduleAsync"/>).
    /// </summary>
    public long Due { get; set; }

    /// <summary>Its place in a heap of <see cref="DueIndex"/>, or a negative number that only the index understands.</summary>
    public int Place { get; set; } = DueIndex.Nowhere;

    /// <summary>Its entry takes as little memory as it can until <see cref="Wake"/>.</summary>
    public void Rest(RestingWords words) => kept = kept.AtRest(words);

    public void Wake() => kept = kept.Awake(Id);

    public void Change(DeliveryState state, RestingWords words) => kept = kept.With(state, words);
}
