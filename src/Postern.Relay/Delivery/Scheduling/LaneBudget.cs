namespace Postern.Relay.Delivery.Scheduling;

/// <summary>Lanes that may exist at a time over all destinations. A queue that is turned away is called when a place is free.</summary>
internal sealed class LaneBudget(int limit)
{
    private readonly Lock gate = new();
    private readonly Queue<DestinationQueue> turnedAway = new();
    private readonly HashSet<DestinationQueue> isTurnedAway = [];
    private int most = limit;
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

    /// <summary>Takes a new limit; queues that were turned away are called where there is room now.</summary>
    public void Apply(int changed)
    {
        lock (gate)
            most = changed;
        CallNext();
    }

    /// <summary>Gives a place back when there are more lanes than may be; true when the lane is to end.</summary>
    public bool TryShrink()
    {
        lock (gate)
        {
            if (taken <= most)
                return false;
            taken--;
            return true;
        }
    }

    /// <summary>Gives a place back, to the first queue in line that still needs one.</summary>
    public void Return()
    {
        lock (gate)
            taken--;
        CallNext();
    }

    private void CallNext()
    {
        DestinationQueue? next;
        do
        {
            lock (gate)
            {
                if (taken >= most)
                    return;
                if (turnedAway.TryDequeue(out next))
                    isTurnedAway.Remove(next);
            }
        }
        while (next is not null && (!next.Grow() || HasRoom()));
    }

    private bool HasRoom()
    {
        lock (gate)
            return taken < most && turnedAway.Count > 0;
    }
}
