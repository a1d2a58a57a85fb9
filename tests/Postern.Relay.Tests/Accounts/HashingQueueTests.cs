using System.Collections.Immutable;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Which attempt is hashed next, and which has to go.</summary>
public sealed class HashingQueueTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void Row_190_networks_take_turns_however_many_attempts_one_of_them_makes()
    {
        var queue = new HashingQueue(64, clock);
        foreach (var peer in new[] { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "198.51.100.1", "203.0.113.1" })
            Assert.True(Add(queue, peer));
        Assert.Equal(["192.0.2.1", "198.51.100.1", "203.0.113.1"], [queue.Take()!.Network!, queue.Take()!.Network!, queue.Take()!.Network!]);
    }

    [Theory]
    [InlineData("10.0.{0}.1", "10.9.0.1")] // rotates over /24 of one /16
    [InlineData("10.{0}.0.1", "11.0.0.1")] // over /16 of one /8
    [InlineData("2001:db8:0:{0}::1", "2001:db8:9::1")] // over /64 of one /48
    [InlineData("2001:db8:{0}::1", "2001:db9::1")] // over /48 of one /32
    [InlineData("10.0.0.{0}", "::ffff:10.9.0.1")]
    public void Row_190_who_takes_the_most_gives_way_to_who_takes_less_however_wide_its_network_is(string flood, string fresh)
    {
        var queue = new HashingQueue(4, clock);
        for (var i = 1; i <= 4; i++)
            Assert.True(Add(queue, Peer(flood, i)));
        Assert.False(Add(queue, Peer(flood, 5)));
        Assert.True(queue.TryAdd(Job(fresh), out var displaced));
        Assert.Equal(ClientNetwork.Of(Peer(flood, 4)), displaced!.Networks);
        Assert.Equal(4, queue.Count);
    }

    /// <summary>Addresses that have nothing in common: what they have wasted before is held against each.</summary>
    [Fact]
    public void Row_190_a_fresh_login_is_next_behind_a_flood_from_everywhere_that_comes_again_and_again()
    {
        var queue = new HashingQueue(16, clock);
        for (var round = 0; round < 100; round++)
        {
            queue.Take();
            for (var i = 0; i < 20; i++)
                _ = Add(queue, $"{20 + i}.{20 + i}.0.1");
        }

        Assert.True(queue.TryAdd(Job("192.0.2.1"), out var displaced));
        Assert.NotNull(displaced);
        Assert.Contains("192.0.2.1", new[] { queue.Take()!.Network, queue.Take()!.Network });
    }

    [Fact]
    public void Row_191_known_pairs_come_first_and_never_give_way_to_strangers()
    {
        var queue = new HashingQueue(4, clock);
        for (var i = 1; i <= 3; i++)
            Assert.True(queue.TryAdd(Job("192.0.2.1", isKnown: true), out _));
        Assert.True(Add(queue, "198.51.100.1"));
        Assert.False(Add(queue, "203.0.113.1")); // it would take as much as the only one that could go
        Assert.True(queue.TryAdd(Job("192.0.2.1", isKnown: true), out var displaced));
        Assert.Equal("198.51.100.1", displaced!.Network);
        Assert.False(Add(queue, "203.0.113.1"));
        Assert.True(queue.TryAdd(Job("192.0.3.1", isKnown: true), out displaced));
        Assert.True(displaced!.IsKnown);
        Assert.True(queue.Take()!.IsKnown);
        Assert.True(Add(queue, "203.0.113.1"));
        Assert.True(queue.Take()!.IsKnown);
    }

    [Fact]
    public void The_oldest_has_its_turn_whoever_comes_after_it()
    {
        var queue = new HashingQueue(16, clock);
        for (var i = 0; i < 12; i++)
        {
            Add(queue, "192.0.2.1");
            queue.Take();
        }

        Add(queue, "192.0.2.1");
        var taken = new List<string?>();
        for (var i = 0; i < 4; i++)
        {
            queue.TryAdd(Job($"{30 + i}.0.0.1", isKnown: true), out _);
            taken.Add(queue.Take()!.Network);
        }

        Assert.Contains("192.0.2.1", taken);
    }

    [Fact]
    public void Good_logins_are_not_held_against_a_network_and_bad_ones_for_ten_minutes_at_most()
    {
        var queue = new HashingQueue(16, clock);
        for (var i = 0; i < 12; i++)
        {
            Add(queue, "192.0.2.1");
            queue.Forgive(queue.Take()!);
            Add(queue, "198.51.100.1");
            queue.Take();
        }

        Assert.Equal("192.0.2.1", First("198.51.100.1", "192.0.2.1"));
        for (var i = 0; i < 2; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(6));
            Add(queue, "233.252.0.1");
            queue.Take();
        }

        Assert.Equal("198.51.100.1", First("198.51.100.1", "192.0.2.1"));

        string? First(string one, string other)
        {
            Add(queue, one);
            Add(queue, other);
            var first = queue.Take()!;
            queue.Forgive(first);
            queue.Forgive(queue.Take()!);
            return first.Network;
        }
    }

    private static string Peer(string pattern, int number) => pattern.Replace("{0}", number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static bool Add(HashingQueue queue, string peer) => queue.TryAdd(Job(peer), out _);

    private static HashingJob Job(string peer, bool isKnown = false) =>
        new(default, new StoredLogin("u", refusal: null, ImmutableArray<StoredCredential>.Empty), [], HashCosts.None, peer, isKnown, DateTimeOffset.UnixEpoch);
}
