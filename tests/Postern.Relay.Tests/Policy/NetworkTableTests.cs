using System.Net;
using Postern.Relay.Policy;

namespace Postern.Relay.Tests.Policy;

/// <summary>The longest prefix that holds an address, against the plain way of asking each.</summary>
public sealed class NetworkTableTests
{
    [Theory]
    [InlineData("10.0.0.0/8 10.1.0.0/16 10.1.2.0/24 10.1.2.3/32", "10.1.2.3", "10.1.2.3/32")]
    [InlineData("10.0.0.0/8 10.1.0.0/16 10.1.2.0/24 10.1.2.3/32", "10.1.2.4", "10.1.2.0/24")]
    [InlineData("10.0.0.0/8 10.1.0.0/16 10.1.2.0/24 10.1.2.3/32", "10.1.3.1", "10.1.0.0/16")]
    [InlineData("10.0.0.0/8 10.1.0.0/16", "10.2.0.0", "10.0.0.0/8")]
    [InlineData("10.0.0.0/8 10.1.0.0/16", "11.0.0.0", null)]
    [InlineData("10.0.0.0/8", "9.255.255.255", null)]
    [InlineData("0.0.0.0/0", "255.255.255.255", "0.0.0.0/0")]
    [InlineData("0.0.0.0/0", "::1", null)]
    [InlineData("::/0", "::1", "::/0")]
    [InlineData("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0")]
    [InlineData("::ffff:10.0.0.0/104", "10.9.9.9", "10.0.0.0/8")]
    [InlineData("10.0.0.0/8", "::ffff:10.9.9.9", "10.0.0.0/8")]
    [InlineData("255.255.255.255/32", "255.255.255.255", "255.255.255.255/32")]
    [InlineData("", "10.0.0.1", null)]
    public void The_longest_prefix_counts(string networks, string address, string? found)
    {
        var table = new NetworkTable<string>(networks.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static n => (IPNetwork.Parse(n), n)));
        Assert.Equal(found is not null, table.TryFind(IPAddress.Parse(address), out var network, out _));
        Assert.Equal(found, found is null ? null : network.ToString());
    }

    [Fact]
    public void It_says_what_asking_each_says()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var networks = Enumerable.Range(0, random.Next(1, 40)).Select(i => (Network: Any(random), i)).ToList();
            var table = new NetworkTable<int>(networks);
            for (var i = 0; i < 200; i++)
            {
                // Near the edges of one of them, where mistakes would be.
                var edge = networks[random.Next(networks.Count)].Network.BaseAddress.GetAddressBytes();
                edge[random.Next(2, edge.Length)] = (byte)random.Next(256);
                var address = new IPAddress(edge);
                var longest = networks.Where(n => n.Network.Contains(address)).OrderByDescending(static n => n.Network.PrefixLength).ThenBy(static n => n.i).FirstOrDefault((default, -1));
                Assert.Equal(longest.Item2 >= 0, table.TryFind(address, out _, out var value));
                Assert.Equal(longest.Item2, longest.Item2 < 0 ? -1 : value);
            }
        }
    }

    private static IPNetwork Any(Random random)
    {
        var isV4 = random.Next(2) == 0;
        var octets = new byte[isV4 ? 4 : 16];
        octets[0] = 10;
        octets[1] = (byte)random.Next(2);
        octets[2] = (byte)random.Next(3);
        octets[3] = (byte)random.Next(256);
        var prefix = random.Next(8, isV4 ? 33 : 65);
        for (var bit = prefix; bit < octets.Length * 8; bit++)
            octets[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(octets), prefix);
    }
}
