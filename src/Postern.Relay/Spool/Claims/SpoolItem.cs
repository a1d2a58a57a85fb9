using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Resting;

namespace Postern.Relay.Spool.Claims;

/// <summary>
/// One message of a spool that keeps its index in memory, and its place in the order of what is due. Guarded by the spool's gate.
/// </summary>
internal abstract class SpoolItem(QueueId id, SpoolEntry? entry)
{
    /// <summary>
    /// Of more recipients it stays whole: they are what it costs, and the gate is not held for as long as it takes to put them at rest.
    /// </summary>
    private const int MostRecipients = 1000;

    private object? form = entry;
    private RestingOrigin? origin;
    private RecipientState[]? states;

    public QueueId Id { get; } = id;

    /// <summary>Null once it is in no list. Made anew for whoever asks while the message is at rest.</summary>
    public SpoolEntry? Entry
    {
        get => form is null ? null : Kept.ToEntry(Id);
        set => (form, origin, states) = (value, null, null);
    }

    /// <summary>The entry as it is kept, to be made outside the gate. Not of a message that has none.</summary>
    public RestingEntry Kept => new(form!, origin, states);

    public bool HasEntry => form is not null;

    public Standing Standing => Kept.Standing;

    /// <summary>
    /// When it is due, in UTC ticks: the stored time, or another until the restart (<see cref="ISpool.RescheduleAsync"/>).
    /// </summary>
    public long Due { get; set; }

    /// <summary>Its place in a heap of <see cref="DueIndex"/>, or a negative number that only the index understands.</summary>
    public int Place { get; set; } = DueIndex.Nowhere;

    /// <summary>Its entry takes as little memory as it can until <see cref="Wake"/>.</summary>
    public void Rest(RestingWords words)
    {
        if (form is SpoolEntry { Envelope.Recipients.Length: <= MostRecipients } entry)
            Keep(RestingEntry.Of(entry, words));
    }

    public void Wake()
    {
        if (form is not SpoolEntry)
            Entry = Kept.ToEntry(Id);
    }

    public void Change(DeliveryState state, RestingWords words) => Keep(Kept.With(state, words));

    private void Keep(in RestingEntry kept) => (form, origin, states) = (kept.Form, kept.Origin, kept.States);
}
