namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// How long a connection to a destination takes to carry its first message, and each further one, as last seen: whether one more would
/// deliver what waits sooner than those that are there. May be called from any thread.
/// </summary>
internal sealed class HopPace(TimeProvider clock)
{
    /// <summary>The newest message counts for this part of what one takes.</summary>
    private const int Weight = 4;

    /// <summary>Nothing in so many times of what a connection takes to open: they hang.</summary>
    private const int Silence = 4;

    private long opening;
    private long each;
    private long lastAt;

    /// <summary>A new connection has carried its first message.</summary>
    /// <param name="begunAt">When it was begun.</param>
    public void OnFirst(long begunAt)
    {
        var now = clock.GetTimestamp();
        Volatile.Write(ref opening, now - begunAt);
        Volatile.Write(ref lastAt, now);
    }

    /// <summary>A connection has carried further messages.</summary>
    /// <param name="begunAt">When they were begun.</param>
    /// <param name="messages">So many at a time.</param>
    public void OnFurther(long begunAt, int messages)
    {
        var now = clock.GetTimestamp();
        var before = Volatile.Read(ref each);
        var one = (now - begunAt) / messages;
        Volatile.Write(ref each, before == 0 ? one : before + ((one - before) / Weight));
        Volatile.Write(ref lastAt, now);
    }

    /// <summary>
    /// What waits would keep the connections that are there busy for longer than another takes to open, or they seem to hang.
    /// </summary>
    public bool IsWorthAnother(int waiting, int connections)
    {
        var takes = Volatile.Read(ref opening);
        return takes == 0
            || waiting * Volatile.Read(ref each) / connections >= takes
            || clock.GetTimestamp() - Volatile.Read(ref lastAt) >= Silence * takes;
    }
}
