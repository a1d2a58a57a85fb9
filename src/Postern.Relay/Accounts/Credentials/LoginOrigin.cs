using System.Net;

namespace Postern.Relay.Accounts.Credentials;

/// <summary>Where a login comes from.</summary>
/// <param name="Listener">The name of the listener; null where nobody says, and then what is limited to listeners is refused.</param>
/// <param name="Peer">The client's address as text; null for a client that has none.</param>
public readonly record struct LoginOrigin(string? Listener, string? Peer)
{
    /// <summary>The client's address, kept as IPv4 when it came IPv4-mapped; null where it is none.</summary>
    public IPAddress? Client =>
        !IPAddress.TryParse(Peer, out var address) ? null
        : address.IsIPv4MappedToIPv6 ? address.MapToIPv4()
        : address;
}
