using System.Collections.Immutable;
using Postern.Relay.Delivery;
using Postern.Relay.Spool;

namespace Postern.Relay.Admin;

/// <summary>What waits, counted. The order of the properties is that of <c>queue stats --json</c>.</summary>
public sealed record QueueStatistics
{
    public required int Messages { get; init; }

    /// <summary>Of content.</summary>
    public required long Octets { get; init; }

    /// <summary>Not tried yet.</summary>
    public required int Waiting { get; init; }

    public required int Deferred { get; init; }

    public required int Held { get; init; }

    /// <summary>When the oldest arrived; null where there is none.</summary>
    public DateTimeOffset? Oldest { get; init; }

    /// <summary>Domains of recipients that wait, those with the most first.</summary>
    public required ImmutableArray<QueueDestination> Destinations { get; init; }

    /// <summary>Domains beside those.</summary>
    public required int MoreDestinations { get; init; }
}

/// <summary>One domain of recipients that wait.</summary>
/// <param name="LastReply">What an attempt ended with last; null before the first. It may come from the network.</param>
/// <param name="IsSuspended">By an operator.</param>
public sealed record QueueDestination(
    string Domain, int Recipients, int Deferred, DateTimeOffset Oldest, string? LastReply, bool IsSuspended);

/// <summary>Counts what waits, page by page.</summary>
internal sealed class QueueCount(Suspensions? suspensions)
{
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);
    private int messages;
    private int waiting;
    private int deferred;
    private int held;
    private long octets;
    private DateTimeOffset? oldest;

    public void Add(SpoolEntry entry)
    {
        messages++;
        octets += entry.Size;
        oldest = oldest is { } first && first <= entry.Envelope.ArrivedAt ? first : entry.Envelope.ArrivedAt;
        if (entry.State.Held)
            held++;
        else if (entry.State.Attempts > 0)
            deferred++;
        else
            waiting++;
        for (var i = 0; i < entry.Envelope.Recipients.Length; i++)
        {
            if (entry.State.Recipients[i].Status == RecipientStatus.Pending)
                Add(entry, i);
        }
    }

    /// <param name="most">Destinations that are named.</param>
    public QueueStatistics ToStatistics(int most) => new()
    {
        Messages = messages,
        Octets = octets,
        Waiting = waiting,
        Deferred = deferred,
        Held = held,
        Oldest = oldest,
        Destinations =
        [
            .. places.OrderByDescending(static p => p.Value.Recipients).ThenBy(static p => p.Key, StringComparer.Ordinal).Take(most)
                .Select(static p => new QueueDestination(
                    p.Key, p.Value.Recipients, p.Value.Deferred, p.Value.Oldest, p.Value.LastReply, p.Value.IsSuspended)),
        ],
        MoreDestinations = Math.Max(0, places.Count - most),
    };

    private void Add(SpoolEntry entry, int recipient)
    {
        var domain = entry.Envelope.Recipients[recipient].Domain;
        if (!places.TryGetValue(domain.Text, out var place))
            places[domain.Text] = place = new Place
            {
                Oldest = entry.Envelope.ArrivedAt, IsSuspended = suspensions?.Holds(domain) == true,
            };
        place.Recipients++;
        place.Oldest = place.Oldest <= entry.Envelope.ArrivedAt ? place.Oldest : entry.Envelope.ArrivedAt;
        if (entry.State.Recipients[recipient].LastReply is not { } reply)
            return;
        place.Deferred++;
        if (entry.State.TriedAt is not { } at || at >= place.TriedAt)
            (place.LastReply, place.TriedAt) = (reply, entry.State.TriedAt ?? place.TriedAt);
    }

    private sealed class Place
    {
        public int Recipients { get; set; }

        public int Deferred { get; set; }

        public DateTimeOffset Oldest { get; set; }

        public string? LastReply { get; set; }

        public DateTimeOffset TriedAt { get; set; }

        public bool IsSuspended { get; init; }
    }
}
