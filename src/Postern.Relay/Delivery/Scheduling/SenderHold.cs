using Postern.Relay.Envelopes;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// A hold that a sender asked for (RFC 4865), measured on the steady clock beside the wall clock. As long as the wall clock goes its way it
/// alone counts. Once that was set, the hold lasts as long as was left of it when the server took the message up, and never longer than the
/// sender asked: mail that is late can be explained, mail that went too early cannot be called back.
/// </summary>
internal sealed class SenderHold(TimeSpan left, long since, TimeProvider clock)
{
    /// <summary>The wall clock was set since.</summary>
    public bool HasJumped { get; private set; }

    /// <summary>Null where there is none.</summary>
    public static SenderHold? Of(Envelope envelope, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        if (envelope.HeldUntil is null || envelope.ReleasedAt <= now)
            return null;
        var (asked, left) = (envelope.ReleasedAt - envelope.ArrivedAt, envelope.ReleasedAt - now);
        return new SenderHold(left < asked ? left : asked, clock.GetTimestamp(), clock);
    }

    /// <summary>The wall clock was set: when the hold ends by the new one.</summary>
    public DateTimeOffset EndAfterJump()
    {
        HasJumped = true;
        return clock.GetUtcNow() + (left - clock.GetElapsedTime(since));
    }
}
