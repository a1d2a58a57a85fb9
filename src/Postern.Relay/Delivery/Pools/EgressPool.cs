using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Pools;

/// <summary>Addresses of this machine that connections of a route or a tenant come from, in turn.</summary>
/// <param name="Sources">At least one.</param>
public sealed record EgressPool(string Name, ImmutableArray<EgressSource> Sources);

/// <summary>One address that mail leaves from.</summary>
/// <param name="Hostname">What this server calls itself there, as DNS should have it; null for its own name.</param>
public sealed record EgressSource(IPAddress Address, Domain? Hostname)
{
    /// <summary>Connections at a time; 0 for no limit of its own.</summary>
    public int Connections { get; init; }

    /// <summary>Messages in a time; null for no limit.</summary>
    public RateLimit? Messages { get; init; }

    /// <summary>How an address that nobody knows yet gets known; null where it is.</summary>
    public WarmUp? WarmUp { get; init; }

    /// <summary>How many messages it may send now: as the warm-up has it while that lasts, then by <see cref="Messages"/>.</summary>
    public RateLimit? LimitAt(DateTimeOffset now) =>
        WarmUp?.OnDay(DateOnly.FromDateTime(now.UtcDateTime)) is { } most ? new RateLimit(most, TimeSpan.FromDays(1)) : Messages;
}

/// <summary>A plan by which an address sends more from day to day.</summary>
/// <param name="Since">Its first day, in UTC.</param>
/// <param name="Messages">On each day, from the first on.</param>
public sealed record WarmUp(DateOnly Since, ImmutableArray<int> Messages)
{
    /// <summary>Null when the plan is over; nothing before it begins.</summary>
    public int? OnDay(DateOnly day) =>
        day.DayNumber - Since.DayNumber is var n && n < 0 ? 0 : n < Messages.Length ? Messages[n] : null;
}
