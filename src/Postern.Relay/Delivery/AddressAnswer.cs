using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery;

/// <summary>The addresses of a host.</summary>
internal abstract record AddressAnswer
{
    private AddressAnswer()
    {
    }

    public sealed record Found(ImmutableArray<IPAddress> Addresses) : AddressAnswer;

    /// <summary>The host has no address.</summary>
    public sealed record None(string Reason) : AddressAnswer;

    public sealed record Unavailable(string Reason) : AddressAnswer;
}
