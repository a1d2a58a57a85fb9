using System.Collections.Immutable;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>How a relay is, by what its parts know of themselves: nothing is asked, read or waited for to say it.</summary>
/// <param name="Stuck">What has made no progress for a minute; a restart would help. Empty while all does.</param>
/// <param name="NotReady">Why mail is not taken now. Empty while it is.</param>
/// <param name="Problems">What an operator should look at, while mail is taken or not. Words only: no names of hosts, no addresses.</param>
public sealed record RelayHealth(ImmutableArray<string> Stuck, ImmutableArray<string> NotReady, ImmutableArray<string> Problems)
{
    public bool IsAlive => Stuck.IsEmpty;

    public bool IsReady => NotReady.IsEmpty;
}
