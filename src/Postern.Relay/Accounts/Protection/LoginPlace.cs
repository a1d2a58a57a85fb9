using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// Where a client is, in three widths, each as the first octets of an IPv6 address. Whoever has one IPv6 address has its whole /64.
/// </summary>
/// <param name="Address">The IPv4 address, or the IPv6 /64.</param>
/// <param name="Network">The IPv4 /24, or the IPv6 /48.</param>
/// <param name="Region">The IPv4 /24, or the IPv6 /32: as many of them as anybody can have cheaply.</param>
internal readonly record struct LoginPlace(UInt128 Address, UInt128 Network, UInt128 Region)
{
    private const int V4Prefix = 96;

    /// <summary>False for a client without an address.</summary>
    public static bool TryRead(string? peer, out LoginPlace place, out IPAddress address)
    {
        place = default;
        address = IPAddress.None;
        if (!IPAddress.TryParse(peer, out var parsed))
            return false;
        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        place = Of(address);
        return true;
    }

    /// <summary>The place of an address that is not an IPv4 one in IPv6 clothes.</summary>
    public static LoginPlace Of(IPAddress address)
    {
        Span<byte> octets = stackalloc byte[16];
        var isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        (isV4 ? address.MapToIPv6() : address).TryWriteBytes(octets, out _);
        var all = BinaryPrimitives.ReadUInt128BigEndian(octets);
        return isV4 ? new(all, Cut(all, V4Prefix + 24), Cut(all, V4Prefix + 24)) : new(Cut(all, 64), Cut(all, 48), Cut(all, 32));
    }

    /// <summary>
    /// As an operator writes it: <c>192.0.2.1</c> or <c>2001:db8::/64</c>; with a network <c>192.0.2.0/24</c> or <c>2001:db8::/48</c>.
    /// </summary>
    public static string Text(UInt128 place, int v4 = 32, int v6 = 64)
    {
        var address = AddressOf(place);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return string.Create(CultureInfo.InvariantCulture, $"{address}/{v6}");
        return v4 == 32 ? address.ToString() : string.Create(CultureInfo.InvariantCulture, $"{address}/{v4}");
    }

    /// <summary>The first address of a place.</summary>
    public static IPAddress AddressOf(UInt128 place)
    {
        Span<byte> octets = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(octets, place);
        var address = new IPAddress(octets);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static UInt128 Cut(UInt128 all, int prefix) => all >> (128 - prefix) << (128 - prefix);
}
