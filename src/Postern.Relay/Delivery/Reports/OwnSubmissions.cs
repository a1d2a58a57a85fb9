using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// Messages that came here lately from somebody who is vouched for. One that is met again, by the ID in a Received field of another
/// message, has come round, and its sender may hear of that, once.
/// </summary>
internal sealed class OwnSubmissions(RecentMarks marks)
{
    public const int Slots = 16 * 1024;

    /// <summary>In memory alone.</summary>
    public OwnSubmissions()
        : this(new RecentMarks(Slots))
    {
    }

    public void Note(Envelope envelope)
    {
        if (envelope is { IsInbound: false, Client: not null, Sender.IsNull: false })
            marks.Add(envelope.Id, default, envelope.Sender.Address);
    }

    /// <summary>True once for each submission.</summary>
    public bool Take(QueueId id, string sender) => marks.Take(id, default, sender);
}
