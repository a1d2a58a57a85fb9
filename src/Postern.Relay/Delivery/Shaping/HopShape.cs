using System.Collections.Immutable;

namespace Postern.Relay.Delivery.Shaping;

/// <summary>What connections to a host are held to, everything filled in.</summary>
internal sealed record HopShape
{
    /// <summary>At a time, to the host and to the address.</summary>
    public int Connections { get; init; }

    /// <summary>How many may be begun in a time, to the host and to the address; null for any.</summary>
    public RateNeed? NewConnections { get; init; }

    /// <summary>What else counts them: entries that have a limit for all that they name.</summary>
    public ImmutableArray<HopScope> Scopes { get; init; } = [];

    /// <summary>Their names; empty where there are none.</summary>
    public string ScopeNames => Scopes.IsEmpty ? string.Empty : string.Join('\n', Scopes.Select(static s => s.Name));

    public int MessagesPerConnection { get; init; }

    /// <summary>Recipients that a transaction may have.</summary>
    public int RecipientsPerTransaction { get; init; }

    /// <summary>How long a transaction may take, beside its content.</summary>
    public TimeSpan Deadline { get; init; }

    /// <summary>Octets a second that content must be taken at.</summary>
    public long MinimumRate { get; init; }

    /// <summary>Answers in a row that it is too much, after which what waits is put off.</summary>
    public int SuspendAfter { get; init; }

    /// <summary>For how long nothing is tried then; null: by the pauses of a slow host.</summary>
    public TimeSpan? SuspendFor { get; init; }

    /// <summary>Codes that say that it is too much, beside those that say so everywhere.</summary>
    public ImmutableArray<string> TooMuch { get; init; } = [];

    public static HopShape Of(DeliveryOptions options, ShapingSubject subject)
    {
        var applying = options.Shaping.For(subject);
        var scopes = new Dictionary<string, HopScope>(StringComparer.Ordinal);
        var connections = options.ConnectionsPerDestination;
        if (ShapingTable.Find(applying, ShapingKey.Connections) is var (entry, said) && said.Value is int most)
        {
            connections = most;
            if (!entry.IsDefault)
                scopes[entry.Name] = new HopScope(entry.Name) { Connections = most };
        }

        RateNeed? own = null;
        foreach (var (from, rate) in ShapingTable.FindTogether(applying, ShapingKey.NewConnections))
        {
            if (rate.Value is not Rate fresh)
                continue;
            var need = new RateNeed(from.Name, ShapingKey.NewConnections, fresh, rate);
            if (from.IsDefault)
                own = need;
            else
                scopes[from.Name] = scopes.GetValueOrDefault(from.Name, new HopScope(from.Name)) with { NewConnections = need };
        }

        return new HopShape
        {
            Connections = connections,
            NewConnections = own,
            Scopes = [.. scopes.Values],
            MessagesPerConnection = ShapingTable.ValueOf(applying, ShapingKey.MessagesPerConnection, options.MessagesPerConnection),
            RecipientsPerTransaction = ShapingTable.ValueOf(
                applying, ShapingKey.RecipientsPerTransaction, options.RecipientsPerTransaction),
            Deadline = ShapingTable.ValueOf(applying, ShapingKey.Deadline, options.Timeouts.Transaction),
            MinimumRate = ShapingTable.ValueOf(applying, ShapingKey.MinimumRate, options.Timeouts.MinimumRate),
            SuspendAfter = ShapingTable.ValueOf(applying, ShapingKey.SuspendAfter, UsualSuspendAfter),
            SuspendFor = ShapingTable.Find(applying, ShapingKey.SuspendFor)?.Said.Value as TimeSpan?,
            TooMuch = ShapingTable.ValueOf(applying, ShapingKey.TooMuch, ImmutableArray<string>.Empty),
        };
    }

    /// <summary>Where nothing is said.</summary>
    public const int UsualSuspendAfter = 5;
}

/// <summary>What an entry has for all connections that it is about, to whatever host.</summary>
/// <param name="Name">The entry's.</param>
internal sealed record HopScope(string Name)
{
    /// <summary>At a time; null for any number.</summary>
    public int? Connections { get; init; }

    /// <summary>In a time; null for any number.</summary>
    public RateNeed? NewConnections { get; init; }
}
