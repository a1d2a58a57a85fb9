namespace Postern.Relay.Delivery;

/// <summary>Lanes that may exist at a time over all destinations. A queue that is turned away is called when a place is free.</summary>
internal sealed class LaneBudget(int most)
{
    private readonly Lock gate = new();
    private readonly Queue<DestinationQueue> turnedAway = new();
    private readonly HashSet<DestinationQueue> isTurnedAway = [];
    private int taken;

    public bool TryTake(DestinationQueue queue)
    {
        lock (gate)
        {
            if (taken < most)
            {
                taken++;
                return true;
            }

            if (isTurnedAway.Add(queue))
                turnedAway.Enqueue(queue);
            return false;
        }
    }

    /// <summary>Gives a place back, to the first queue in line that still needs one.</summary>
    public void Return()
    {
        lock (gate)
            taken--;
        DestinationQueue? next;
        do
        {
            lock (gate)
            {
                if (turnedAway.TryDequeue(out next))
                    isTurnedAway.Remove(next);
            }
        }
        while (next is not null && !next.Grow());
    }
}
