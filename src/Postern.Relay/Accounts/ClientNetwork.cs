using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Accounts;

/// <summary>A network that a client belongs to, of one of a few widths: /24, /16 and /8 of IPv4, /64, /48 and /32 of IPv6.</summary>
internal readonly record struct ClientNetwork(int PrefixLength, UInt128 Prefix)
{
    /// <summary>How many there are for each client.</summary>
    public const int Widths = 3;

    private static readonly int[] V4 = [24, 16, 8];
    private static readonly int[] V6 = [64, 48, 32];

    /// <summary>Whoever has no address belongs to one network with all others that have none.</summary>
    private static readonly ImmutableArray<ClientNetwork> Nowhere = [default, default, default];

    /// <summary>The narrowest first. An IPv4 address written as one of IPv6 is one of IPv4.</summary>
    public static ImmutableArray<ClientNetwork> Of(string? peer)
    {
        if (peer is null || !IPAddress.TryParse(peer, out var address))
            return Nowhere;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        Span<byte> octets = stackalloc byte[16];
        octets.Clear();
        address.TryWriteBytes(octets, out _);
        var bits = BinaryPrimitives.ReadUInt128BigEndian(octets);
        var isV6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        var networks = ImmutableArray.CreateBuilder<ClientNetwork>(Widths);
        foreach (var length in isV6 ? V6 : V4)
            networks.Add(new ClientNetwork(isV6 ? 128 + length : length, bits >> (128 - length)));
        return networks.MoveToImmutable();
    }
}
