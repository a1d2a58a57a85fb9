using System.Diagnostics.CodeAnalysis;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// Messages by id, for 11 to 21 octets each: ids are random, so the table needs no hashes, and messages know their ids. It is in parts, so
/// that nobody waits for a million of them to be sorted in anew when it grows or shrinks. Guarded by the index's gate.
/// </summary>
internal sealed class MessageTable
{
    private const int PartBits = 8;
    private const int Smallest = 4;

    private readonly StoredMessage?[][] parts = new StoredMessage?[1 << PartBits][];
    private readonly int[] counts = new int[1 << PartBits];

    public MessageTable() => Array.Fill(parts, []);

    public int Count { get; private set; }

    /// <summary>All of them, in no order.</summary>
    public IEnumerable<StoredMessage> All => parts.SelectMany(static part => part).OfType<StoredMessage>();

    public bool TryFind(QueueId id, [NotNullWhen(true)] out StoredMessage? message)
    {
        var part = parts[PartOf(id)];
        message = part.Length == 0 ? null : part[PlaceOf(part, id)];
        return message is not null;
    }

    /// <summary>One that is not there yet.</summary>
    public void Add(StoredMessage message)
    {
        var i = PartOf(message.Id);
        // A quarter stays empty: what is looked for and not there is found out soon.
        if ((counts[i] + 1) * 4 > parts[i].Length * 3)
            Resize(ref parts[i], Math.Max(Smallest, parts[i].Length * 2));
        var part = parts[i];
        var place = PlaceOf(part, message.Id);
        if (part[place] is not null)
            throw new InvalidOperationException($"Message {message.Id} is there already");
        part[place] = message;
        counts[i]++;
        Count++;
    }

    public bool Remove(QueueId id, [NotNullWhen(true)] out StoredMessage? message)
    {
        if (!TryFind(id, out message))
            return false;
        var i = PartOf(id);
        var part = parts[i];
        Close(part, PlaceOf(part, id));
        counts[i]--;
        Count--;
        if (counts[i] * 8 < part.Length && part.Length > Smallest)
            Resize(ref parts[i], part.Length / 2);
        return true;
    }

    private static int PartOf(QueueId id) => (int)(uint)(id.Value >> 32) & ((1 << PartBits) - 1);

    private static int WantedPlace(StoredMessage?[] part, QueueId id) => (int)(uint)id.Value & (part.Length - 1);

    /// <summary>Where the message is, or the empty place where it would be.</summary>
    private static int PlaceOf(StoredMessage?[] part, QueueId id)
    {
        var place = WantedPlace(part, id);
        while (part[place] is { } other && other.Id != id)
            place = (place + 1) & (part.Length - 1);
        return place;
    }

    /// <summary>Empties a place, and lets those behind it move up that would stand there if they could.</summary>
    private static void Close(StoredMessage?[] part, int gap)
    {
        var mask = part.Length - 1;
        for (var place = (gap + 1) & mask; part[place] is { } message; place = (place + 1) & mask)
        {
            // How far it stands from where it wants to be, and how far from the gap.
            if (((place - WantedPlace(part, message.Id)) & mask) < ((place - gap) & mask))
                continue;
            part[gap] = message;
            gap = place;
        }

        part[gap] = null;
    }

    private static void Resize(ref StoredMessage?[] part, int size)
    {
        var old = part;
        part = new StoredMessage?[size];
        foreach (var message in old)
        {
            if (message is not null)
                part[PlaceOf(part, message.Id)] = message;
        }
    }
}
