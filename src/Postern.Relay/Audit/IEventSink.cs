using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// Somebody who is given every event beside the log files: a copy, totals, those who watch. It is called where the event happens, by many
/// at once: it takes the event and returns, waits for nobody and never throws. What it has no room for it counts in <see cref="Lost"/>.
/// </summary>
public interface IEventSink
{
    /// <summary>What the log calls it when it has lost events.</summary>
    string Name { get; }

    /// <summary>Events it had no room for.</summary>
    long Lost { get; }

    /// <summary>An event that is told whole.</summary>
    void Offer(AuditEvent audit);

    /// <summary>An event like others before it, which is only counted (<see cref="CoalescedEvent"/> tells of it later).</summary>
    /// <param name="audit">Null where it was asked about before it was made.</param>
    void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
    }
}
