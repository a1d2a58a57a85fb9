namespace Postern.Relay.Spool.Claims;

/// <summary>
/// Messages by the time at which they are due. Each knows its place, so that one can be taken out. A message costs 8 octets.
/// </summary>
/// <param name="number">Of this heap, from 0.</param>
/// <param name="heaps">How many there are.</param>
internal sealed class DueHeap(int number, int heaps)
{
    private readonly List<SpoolItem> items = [];

    public int Count => items.Count;

    /// <summary>Of the first, in UTC ticks; the greatest there is where it is empty.</summary>
    public long FirstDue => items.Count > 0 ? items[0].Due : long.MaxValue;

    public SpoolItem First => items[0];

    /// <summary>The number of the heap that a message is in, by its place there.</summary>
    public static int NumberOf(int place, int heaps) => place % heaps;

    public void Add(SpoolItem item)
    {
        items.Add(item);
        Settle(item, items.Count - 1);
    }

    /// <summary>It is due at another time.</summary>
    public void Changed(SpoolItem item) => Settle(item, item.Place / heaps);

    public void Remove(SpoolItem item)
    {
        var last = items[^1];
        items.RemoveAt(items.Count - 1);
        if (last != item)
            Settle(last, item.Place / heaps);
    }

    private void Settle(SpoolItem item, int at)
    {
        while (at > 0 && items[(at - 1) / 2] is var parent && item.Due < parent.Due)
        {
            Put(parent, at);
            at = (at - 1) / 2;
        }

        while ((at * 2) + 1 is var child && child < items.Count)
        {
            if (child + 1 < items.Count && items[child + 1].Due < items[child].Due)
                child++;
            if (items[child].Due >= item.Due)
                break;
            Put(items[child], at);
            at = child;
        }

        Put(item, at);
    }

    private void Put(SpoolItem item, int at)
    {
        items[at] = item;
        item.Place = (at * heaps) + number;
    }
}
