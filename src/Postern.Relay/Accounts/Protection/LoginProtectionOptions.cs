using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// How many wrong secrets are checked, whose and from where. A network is an IPv4 /24 or an IPv6 /48; an address is an IPv4 address or an
/// IPv6 /64.
/// </summary>
public sealed record LoginProtectionOptions
{
    public bool IsEnabled { get; init; } = true;

    /// <summary>Clients whose logins are neither counted nor slowed.</summary>
    public ImmutableArray<IPNetwork> Exempt { get; init; } = [];

    /// <summary>Of one account from one network.</summary>
    public RateLimit AccountAndNetwork { get; init; } = new(10, TimeSpan.FromHours(1));

    /// <summary>Of one account from all places where it never logged in.</summary>
    public RateLimit Account { get; init; } = new(40, TimeSpan.FromHours(1));

    /// <summary>Of one address, for all accounts that never logged in from its network.</summary>
    public RateLimit Address { get; init; } = new(40, TimeSpan.FromHours(1));

    /// <summary>Of one network, for all accounts that never logged in from it.</summary>
    public RateLimit Network { get; init; } = new(120, TimeSpan.FromHours(1));

    /// <summary>Of one account from a network where it logged in before; these count nowhere else.</summary>
    public RateLimit Device { get; init; } = new(10, TimeSpan.FromHours(1));

    /// <summary>
    /// Of one account whose own budget is used up, from one IPv4 /24 or IPv6 /32: what leaves its owner a way in from a new place.
    /// </summary>
    public RateLimit Newcomer { get; init; } = new(3, TimeSpan.FromHours(24));

    /// <summary>How long a login waits before it is checked, where a budget is nearly used; from half of it on, part of this.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Sessions that may be kept waiting at a time.</summary>
    public int MostWaiting { get; init; } = 64;

    /// <summary>Entries kept of each kind at most.</summary>
    public int Capacity { get; init; } = 20_000;

    /// <summary>Places kept at most from which accounts logged in.</summary>
    public int DeviceCapacity { get; init; } = 50_000;
}
