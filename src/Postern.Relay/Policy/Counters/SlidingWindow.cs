using System.Runtime.InteropServices;

namespace Postern.Relay.Policy.Counters;

/// <summary>
/// What was used within a time that ends now. The time is counted in sixty slices, and the slice in which it begins counts whole: so it is
/// never less than what was used in any stretch of that length, and what was used is free again at most a sixtieth of it late.
/// </summary>
/// <param name="isDistinct">It counts things that differ, each from when it was last seen.</param>
internal sealed class SlidingWindow(TimeSpan window, bool isDistinct)
{
    public const int Slices = 60;

    private readonly long width = (window.Ticks + Slices - 1) / Slices;
    private readonly Dictionary<ulong, long>? items = isDistinct ? [] : null;
    private (long Slice, long Count)[] ring = new (long, long)[2];
    private int first;
    private int count;
    private long used;
    private long dirtyFrom = long.MaxValue;
    private HashSet<ulong>? dirtyItems;

    public int ItemCount => items?.Count ?? 0;

    public bool IsDirty => dirtyFrom != long.MaxValue;

    public long Used(DateTimeOffset now)
    {
        Slide(now.UtcTicks / width);
        return used;
    }

    /// <summary>It is counted already, and one more sight of it costs nothing.</summary>
    public bool Has(ulong item) => items!.ContainsKey(item);

    public void Add(DateTimeOffset now, long cost, ulong item)
    {
        var slice = now.UtcTicks / width;
        Slide(slice);
        if (items is not null)
        {
            if (items.TryGetValue(item, out var seen) && seen == slice)
                return;
            Sight(item, slice);
            (dirtyItems ??= []).Add(item);
        }
        else
        {
            Put(slice, cost);
        }

        dirtyFrom = Math.Min(dirtyFrom, slice);
    }

    /// <summary>Until <paramref name="cost"/> more fits; null where it never does.</summary>
    public TimeSpan? Wait(DateTimeOffset now, long cost, long most)
    {
        if (cost > most)
            return null;
        var left = Used(now);
        for (var i = 0; i < count; i++)
        {
            if (left + cost <= most)
                break;
            ref var entry = ref ring[(first + i) & (ring.Length - 1)];
            left -= entry.Count;
            if (left + cost <= most)
                return Free(entry.Slice) - now;
        }

        return TimeSpan.Zero;
    }

    /// <summary>When the oldest of it is free again; null where nothing is used.</summary>
    public DateTimeOffset? FreesAt(DateTimeOffset now) => Used(now) == 0 ? null : Free(ring[first].Slice);

    /// <summary>What the file says, in the order in which it was written.</summary>
    public void Restore(long slice, long much, ulong item)
    {
        if (items is not null)
        {
            Sight(item, slice);
            return;
        }

        var last = count == 0 ? default : ring[(first + count - 1) & (ring.Length - 1)];
        if (count > 0 && last.Slice == slice)
            Put(slice, much - last.Count);
        else if (count == 0 || last.Slice < slice)
            Put(slice, much);
    }

    /// <summary>What is to be written: all of it, or what has changed since it was asked last.</summary>
    public void TakeDirty(bool all, Action<long, long, ulong> write)
    {
        if (items is not null)
        {
            foreach (var item in all ? items.Keys : (IEnumerable<ulong>?)dirtyItems ?? [])
            {
                if (items.TryGetValue(item, out var slice))
                    write(slice, 1, item);
            }
        }
        else
        {
            for (var i = 0; i < count; i++)
            {
                var (slice, much) = ring[(first + i) & (ring.Length - 1)];
                if (much != 0 && (all || slice >= dirtyFrom))
                    write(slice, much, 0);
            }
        }

        (dirtyFrom, dirtyItems) = (long.MaxValue, null);
    }

    private DateTimeOffset Free(long slice) => new((slice + Slices + 1) * width, TimeSpan.Zero);

    /// <summary>Leaves out what is too old. What a clock that was wrong has counted for later counts for now.</summary>
    private void Slide(long now)
    {
        while (count > 0 && ring[(first + count - 1) & (ring.Length - 1)] is var (slice, much) && slice > now)
        {
            count--;
            used -= much;
            Put(now, much);
            MoveBack(now);
        }

        var gone = false;
        while (count > 0 && ring[first].Slice < now - Slices)
        {
            used -= ring[first].Count;
            first = (first + 1) & (ring.Length - 1);
            count--;
            gone = true;
        }

        if (gone && items is not null)
        {
            foreach (var (item, seen) in items)
            {
                if (seen < now - Slices)
                    items.Remove(item);
            }
        }
    }

    private void MoveBack(long now)
    {
        if (items is null)
            return;
        foreach (var (item, seen) in items)
        {
            if (seen > now)
                CollectionsMarshal.GetValueRefOrNullRef(items, item) = now;
        }
    }

    private void Sight(ulong item, long slice)
    {
        if (items!.TryGetValue(item, out var seen))
        {
            if (slice <= seen)
                return;
            for (var i = 0; i < count; i++)
            {
                ref var entry = ref ring[(first + i) & (ring.Length - 1)];
                if (entry.Slice == seen)
                    (entry.Count, used) = (entry.Count - 1, used - 1);
            }
        }

        items[item] = slice;
        Put(slice, 1);
    }

    /// <summary>Adds to a slice. Most are added to the last, or behind it; those of a file may stand before.</summary>
    private void Put(long slice, long much)
    {
        used += much;
        var at = count;
        while (at > 0 && ring[(first + at - 1) & (ring.Length - 1)].Slice > slice)
            at--;
        if (at > 0 && ring[(first + at - 1) & (ring.Length - 1)].Slice == slice)
        {
            ring[(first + at - 1) & (ring.Length - 1)].Count += much;
            return;
        }

        if (count == ring.Length)
            Grow();
        for (var i = count; i > at; i--)
            ring[(first + i) & (ring.Length - 1)] = ring[(first + i - 1) & (ring.Length - 1)];
        ring[(first + at) & (ring.Length - 1)] = (slice, much);
        count++;
    }

    private void Grow()
    {
        var larger = new (long, long)[ring.Length * 2];
        for (var i = 0; i < count; i++)
            larger[i] = ring[(first + i) & (ring.Length - 1)];
        (ring, first) = (larger, 0);
    }
}
