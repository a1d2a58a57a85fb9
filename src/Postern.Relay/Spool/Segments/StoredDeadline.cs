using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Segments;

/// <summary><see cref="DeliveryDeadline"/> as it is written.</summary>
internal sealed record StoredDeadline(DateTimeOffset At, bool Notify, bool Trace)
{
    public DeliveryDeadline ToDeadline() => new(At, Notify, Trace);
}
