using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Devices;

namespace Postern.Relay.Policy.Limits;

/// <summary>All limits of one configuration on what logins, clients and domains may use. Immutable.</summary>
public sealed record LimitTable
{
    /// <summary>Nothing is limited, and nothing is counted.</summary>
    public static LimitTable None { get; } = new();

    /// <summary>Each scope once; those that limit nothing are left out.</summary>
    public ImmutableArray<ScopeLimits> Scopes { get; init; } = [];

    /// <summary>Bits of a client's IPv4 network.</summary>
    public int PrefixV4 { get; init; } = 24;

    /// <summary>Bits of a client's IPv6 network.</summary>
    public int PrefixV6 { get; init; } = 64;

    /// <summary>Who is a device.</summary>
    public DeviceTable Devices { get; init; } = DeviceTable.Empty;

    /// <summary>
    /// While counts are lost, because their file was damaged, what has a limit is answered 451. False: they begin anew.
    /// </summary>
    public bool DefersIfLost { get; init; }

    /// <summary>Limits that are left out for somebody, to see what would be without them.</summary>
    internal ImmutableHashSet<LimitName> Lifted { get; init; } = [];

    public bool IsEmpty => Scopes.IsEmpty;

    /// <summary>What is said of a scope; null for nothing.</summary>
    public ScopeLimits? Of(LimitScope scope)
    {
        foreach (var one in Scopes)
        {
            if (one.Scope == scope)
                return one;
        }

        return null;
    }
}

/// <summary>What one thing of a scope may use.</summary>
public sealed record ScopeLimits(LimitScope Scope, ImmutableArray<ThingLimit> Limits)
{
    /// <summary>
    /// Of one name alone, in its canonical form: where something is said there of a thing, that counts, and not what is said of all. Of
    /// devices by the name of their entry.
    /// </summary>
    public FrozenDictionary<string, ImmutableArray<ThingLimit>> Own { get; init; } =
        FrozenDictionary<string, ImmutableArray<ThingLimit>>.Empty;

    /// <summary>The soft limit, as a share of the hard one in percent: from there on it is told.</summary>
    public int WarnAt { get; init; } = 80;

    /// <summary>What is over is refused for good (550); false: for now (450).</summary>
    public bool Rejects { get; init; }

    /// <summary>Of logins: the user is told by mail when the soft limit is reached, and when the hard one is.</summary>
    public bool Notifies { get; init; }

    /// <summary>All that counts for one name.</summary>
    public ImmutableArray<ThingLimit> For(string name) => Own.GetValueOrDefault(
        Scope == LimitScope.Devices && name.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? name[..slash] : name, Limits);

    /// <summary>Puts what is said of one name in the place of what is said of all, thing by thing.</summary>
    public static ImmutableArray<ThingLimit> Merge(ImmutableArray<ThingLimit> all, ImmutableArray<ThingLimit> own) =>
        [.. own, .. all.Where(one => !own.Any(o => o.What == one.What))];
}

/// <summary>One limit of a scope.</summary>
public readonly record struct ThingLimit(LimitThing What, WindowLimit Limit);

/// <summary>A limit of somebody, by what tells it from all others.</summary>
internal readonly record struct LimitName(LimitSubject Of, LimitThing What, TimeSpan Window);
