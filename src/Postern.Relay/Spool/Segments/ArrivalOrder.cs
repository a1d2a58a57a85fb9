namespace Postern.Relay.Spool.Segments;

/// <summary>
/// Messages in order of arrival, for little more than 8 octets each: in stretches, so that any of them is found, and taken out, without
/// looking at all. Guarded by the index's gate.
/// </summary>
internal sealed class ArrivalOrder
{
    private readonly List<Stretch> stretches = [];

    /// <summary>One that arrived behind all that were ever here.</summary>
    public void Append(StoredMessage message)
    {
        if (stretches.Count == 0 || stretches[^1].IsFull)
            stretches.Add(new Stretch(message.Order));
        stretches[^1].Append(message);
    }

    /// <summary>One that is there.</summary>
    public void Remove(StoredMessage message)
    {
        var i = StretchOf(message.Order);
        stretches[i].Remove(message);
        if (stretches[i].Count == 0)
            stretches.RemoveAt(i);
        else if (i + 1 < stretches.Count && stretches[i].TryJoin(stretches[i + 1]))
            stretches.RemoveAt(i + 1);
    }

    /// <summary>Those that have this number in the order of arrival or a later one. To be read before the gate is left.</summary>
    public IEnumerable<StoredMessage> From(ulong order) => In(Math.Max(0, StretchOf(order))).SkipWhile(m => m.Order < order);

    /// <summary>The first whose id was made in this millisecond or later; null where there is none.</summary>
    public StoredMessage? Since(DateTimeOffset time)
    {
        var begin = stretches.FindIndex(stretch => stretch.Newest >= time);
        return begin < 0 ? null : In(begin).FirstOrDefault(m => m.Id.CreatedAt >= time);
    }

    private IEnumerable<StoredMessage> In(int begin) => stretches.Skip(begin).SelectMany(static stretch => stretch.Messages);

    /// <summary>The number of the stretch in which a message with this number would be; -1 before the first.</summary>
    private int StretchOf(ulong order)
    {
        var (low, high) = (0, stretches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (stretches[middle].First <= order)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    /// <summary>Messages that follow each other, and holes where some are gone.</summary>
    /// <param name="first">The least number that one of them can have.</param>
    private sealed class Stretch(ulong first)
    {
        private const int Length = 256;

        private readonly StoredMessage?[] messages = new StoredMessage?[Length];
        private int used;

        public ulong First => first;

        /// <summary>When the last of their ids was made, also of those that are gone.</summary>
        public DateTimeOffset Newest { get; private set; }

        public int Count { get; private set; }

        public bool IsFull => used == Length;

        public IEnumerable<StoredMessage> Messages => messages.Take(used).OfType<StoredMessage>();

        public void Append(StoredMessage message)
        {
            messages[used++] = message;
            Count++;
            Newest = message.Id.CreatedAt > Newest ? message.Id.CreatedAt : Newest;
        }

        public void Remove(StoredMessage message)
        {
            var place = 0;
            while (messages[place] != message)
                place++;
            messages[place] = null;
            Count--;
        }

        /// <summary>Takes those of the next stretch too, where both have become short; else false.</summary>
        public bool TryJoin(Stretch next)
        {
            if (Count + next.Count > Length / 2)
                return false;
            var all = Messages.Concat(next.Messages).ToArray();
            Array.Clear(messages);
            (used, Count) = (0, 0);
            foreach (var message in all)
                Append(message);
            Newest = next.Newest > Newest ? next.Newest : Newest;
            return true;
        }
    }
}
