using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Delivery;

/// <summary>
/// Says which addresses mail is never sent to because a stranger's DNS said so: not of the public internet (RFC 6890), also when
/// wrapped in an IPv6 transition format. Asked about the very address that is about to be connected to.
/// </summary>
internal sealed class AddressGuard(ImmutableArray<IPNetwork> allowed)
{
    private static readonly (IPNetwork Network, string Name)[] Refused =
    [
        .. Named("this network", "0.0.0.0/8"),
        .. Named("private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        .. Named("shared address space", "100.64.0.0/10"),
        .. Named("loopback", "127.0.0.0/8", "::1/128"),
        .. Named("link-local", "169.254.0.0/16", "fe80::/10"),
        .. Named("reserved for protocols", "192.0.0.0/24", "192.88.99.0/24"),
        .. Named("documentation", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
        .. Named("benchmarking", "198.18.0.0/15", "2001:2::/48"),
        .. Named("multicast", "224.0.0.0/4", "ff00::/8"),
        .. Named("reserved", "240.0.0.0/4"),
        .. Named("unspecified", "::/128"),
        .. Named("discard", "100::/64"),
        .. Named("NAT64 for local use", "64:ff9b:1::/48"),
        .. Named("Teredo", "2001::/32"),
        .. Named("no place on the network", "2001:10::/28", "2001:20::/28", "5f00::/16"),
        // A platform's own service at an address of the public internet; all others are link-local, private or shared.
        .. Named("metadata", "168.63.129.16/32"),
    ];

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork Translated = IPNetwork.Parse("::ffff:0:0:0/96");

    /// <summary>Why not to connect; null when it is allowed.</summary>
    public string? WhyNot(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        foreach (var network in allowed)
        {
            if (network.Contains(address))
                return null;
        }

        foreach (var (network, name) in Refused)
        {
            if (network.Contains(address))
                return name;
        }

        return Embedded(address) is { } inner && WhyNot(inner) is { } why ? $"{why} ({inner} inside {address})" : null;
    }

    /// <summary>The IPv4 address that traffic to this IPv6 address ends at.</summary>
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return null;
        Span<byte> octets = stackalloc byte[16];
        address.TryWriteBytes(octets, out _);
        if (Nat64.Contains(address) || Compatible.Contains(address) || Translated.Contains(address))
            return new IPAddress(octets[12..]);
        return SixToFour.Contains(address) ? new IPAddress(octets[2..6]) : null;
    }

    private static IEnumerable<(IPNetwork Network, string Name)> Named(string name, params string[] networks) =>
        networks.Select(n => (IPNetwork.Parse(n), name));
}
