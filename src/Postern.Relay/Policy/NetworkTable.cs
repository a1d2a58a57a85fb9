using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Policy;

/// <summary>
/// What is said of networks, found by an address in a few steps however many there are: the longest prefix that holds the address counts.
/// Immutable; IPv4-mapped addresses count as IPv4.
/// </summary>
internal sealed class NetworkTable<T>
{
    // Prefixes are nested or apart. Laid out on the line of all addresses they make pieces, in each of which one prefix is the longest: the
    // piece that an address is in is found by halving.
    private readonly Pieces v4;
    private readonly Pieces v6;

    /// <param name="networks">Of one that comes twice the first counts.</param>
    public NetworkTable(IEnumerable<(IPNetwork Network, T Value)> networks)
    {
        var plain = networks.Select(static n => (Network: Unmap(n.Network), n.Value)).ToList();
        v4 = new Pieces([.. plain.Where(static n => n.Network.BaseAddress.AddressFamily == AddressFamily.InterNetwork)], 32);
        v6 = new Pieces([.. plain.Where(static n => n.Network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6)], 128);
    }

    /// <summary>False where no network holds the address.</summary>
    public bool TryFind(IPAddress address, out IPNetwork network, out T value)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return (address.AddressFamily == AddressFamily.InterNetwork ? v4 : v6).TryFind(NumberOf(address), out network, out value);
    }

    private static UInt128 NumberOf(IPAddress address)
    {
        Span<byte> octets = stackalloc byte[16];
        address.TryWriteBytes(octets, out var written);
        UInt128 number = 0;
        foreach (var octet in octets[..written])
            number = (number << 8) | octet;
        return number;
    }

    private static IPNetwork Unmap(IPNetwork network) =>
        network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= 96
            ? new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - 96)
            : network;

    private sealed class Pieces
    {
        private readonly UInt128[] starts;

        /// <summary>The place in <see cref="networks"/> of what holds from there on; -1 for none.</summary>
        private readonly int[] owners;
        private readonly (IPNetwork Network, T Value)[] networks;

        public Pieces(ImmutableArray<(IPNetwork Network, T Value)> all, int bits)
        {
            // Those that hold others come before them; a stack says what an inner one gives back to where it ends.
            networks = [.. all.OrderBy(static n => NumberOf(n.Network.BaseAddress)).ThenBy(static n => n.Network.PrefixLength)];
            var (begins, holders) = (new List<UInt128>(), new List<int>());
            var open = new Stack<(UInt128 Last, int Owner)>();
            for (var i = 0; i < networks.Length; i++)
            {
                var first = NumberOf(networks[i].Network.BaseAddress);
                if (i > 0 && networks[i].Network == networks[i - 1].Network)
                    continue;
                Close(first);
                Begin(first, i);
                var size = bits - networks[i].Network.PrefixLength;
                open.Push((size == 128 ? UInt128.MaxValue : first + ((UInt128.One << size) - 1), i));
            }

            Close(before: null);
            (starts, owners) = ([.. begins], [.. holders]);

            void Close(UInt128? before)
            {
                while (open.TryPeek(out var inner) && (before is null || inner.Last < before))
                {
                    open.Pop();
                    if (inner.Last < UInt128.MaxValue && inner.Last + 1 != before)
                        Begin(inner.Last + 1, open.TryPeek(out var outer) ? outer.Owner : -1);
                }
            }

            void Begin(UInt128 at, int owner)
            {
                if (begins.Count > 0 && begins[^1] == at)
                    holders[^1] = owner;
                else
                {
                    begins.Add(at);
                    holders.Add(owner);
                }
            }
        }

        public bool TryFind(UInt128 number, out IPNetwork network, out T value)
        {
            var at = Array.BinarySearch(starts, number);
            var owner = (at >= 0 ? at : ~at - 1) is >= 0 and var piece ? owners[piece] : -1;
            (network, value) = owner >= 0 ? networks[owner] : (default, default!);
            return owner >= 0;
        }
    }
}
