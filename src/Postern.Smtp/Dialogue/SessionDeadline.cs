using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// Until when one session may wait for its client. The session sets it before each wait and clears it behind; the server's clock looks at
/// it from outside (<see cref="ExpiredAt"/>).
/// </summary>
internal sealed class SessionDeadline(TimeProvider clock)
{
    private long due = long.MaxValue;
    private long waitingSince;
    private long messageDue;

    /// <summary>A session without a message ends at some time: it is counted from here.</summary>
    public void ExpectMessage(SessionLimits limits) =>
        Volatile.Write(ref messageDue, clock.GetTimestamp() + Timestamps(limits.WithoutMessage));

    public void Set(TimeSpan wait) => Set(wait, long.MaxValue);

    /// <summary>For a whole command, or for a client that has to read; no longer than it may stay without a message.</summary>
    public void SetIdle(SessionLimits limits) => Set(limits.Idle, messageDue);

    /// <summary>For the next part of the content, and for all of it: octet by octet a message would last for years.</summary>
    /// <param name="octets">That have come since <paramref name="begun"/>, a timestamp of the clock.</param>
    /// <param name="isWanted">Content that is thrown away makes no message, and lasts no longer than a session may without one.</param>
    public void SetData(SessionLimits limits, long octets, long begun, bool isWanted)
    {
        var left = limits.DataBlock + TimeSpan.FromSeconds((double)octets / limits.DataOctetsPerSecond) - clock.GetElapsedTime(begun);
        Set(left < limits.DataBlock ? left : limits.DataBlock, isWanted ? long.MaxValue : messageDue);
    }

    public void Clear() => Volatile.Write(ref due, long.MaxValue);

    /// <summary>What the client is told that has taken too long by now; null while it has not.</summary>
    /// <param name="now">A timestamp of the clock.</param>
    /// <param name="urgentIdle">Under pressure, between commands: it may have begun to wait when there was more patience than this.</param>
    public Reply? ExpiredAt(long now, TimeSpan? urgentIdle)
    {
        var until = Volatile.Read(ref due);
        if (urgentIdle is { } idle && until < long.MaxValue)
            return now >= Math.Min(until, Volatile.Read(ref waitingSince) + Timestamps(idle)) ? StandardReply.UnderLoad : null;
        if (now < until)
            return null;
        return until == Volatile.Read(ref messageDue) ? StandardReply.NoMessageTooLong : StandardReply.IdleTooLong;
    }

    private void Set(TimeSpan wait, long latest)
    {
        var now = clock.GetTimestamp();
        Volatile.Write(ref waitingSince, now);
        Volatile.Write(ref due, Math.Min(now + Timestamps(wait), latest));
    }

    private long Timestamps(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);
}
