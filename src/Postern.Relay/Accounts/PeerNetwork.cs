using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Accounts;

/// <summary>What stands for one client where clients are counted: whoever has one IPv6 address has its whole /64.</summary>
internal static class PeerNetwork
{
    /// <summary>A text that is no address is returned as it is; null where there is no peer.</summary>
    public static string? Of(string? peer)
    {
        if (peer is null || !IPAddress.TryParse(peer, out var address))
            return peer;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address.ToString();
        var octets = address.GetAddressBytes();
        octets.AsSpan(8).Clear();
        return new IPAddress(octets).ToString();
    }
}
