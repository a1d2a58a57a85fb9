using Postern.Smtp.Session;

namespace Postern.Relay.Envelopes;

/// <summary>The time by which the sender wants a message delivered (RFC 2852).</summary>
/// <param name="IsNotify">Later delivery is better than none, and the delay is reported; else it is given up at the deadline.</param>
/// <param name="IsTrace">Each server on the way reports that it relayed the message.</param>
public sealed record DeliveryDeadline(DateTimeOffset At, bool IsNotify, bool IsTrace)
{
    public static DeliveryDeadline? Of(DeliverBy? by, DateTimeOffset arrivedAt) => by is null ? null : new(arrivedAt + by.Within, by.IsNotify, by.IsTrace);

    /// <summary>Nothing may be delivered any more.</summary>
    public bool IsOver(DateTimeOffset now) => !IsNotify && now >= At;

    /// <summary>What the next server is told.</summary>
    public DeliverBy Left(DateTimeOffset now) => new(At - now, IsNotify, IsTrace);
}
