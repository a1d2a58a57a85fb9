using System.Collections.Immutable;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Shaping;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Which entry counts, and what ships.</summary>
public sealed class ShapingTableTests
{
    private static string? Said(ShapingTable table, ShapingKey key, ShapingSubject subject) => ShapingTable.Find(table.For(subject), key)?.Said.Text;

    [Fact]
    public void A_domain_counts_before_a_host_before_a_route_before_a_tenant_before_all_mail()
    {
        ShapingEntry[] entries =
        [
            Shaped.Domain(".example.net", ShapingKey.RetryFirst, TimeSpan.FromSeconds(5)),
            Shaped.Domain("a.example.net", ShapingKey.RetryFirst, TimeSpan.FromSeconds(6)),
            Shaped.Host(".mx.test", ShapingKey.RetryFirst, TimeSpan.FromSeconds(4)),
            Shaped.Route("*", ShapingKey.RetryFirst, TimeSpan.FromSeconds(3)),
            Shaped.Tenant("acme", ShapingKey.RetryFirst, TimeSpan.FromSeconds(2)),
            Shaped.All(ShapingKey.RetryFirst, TimeSpan.FromSeconds(1)),
        ];
        var table = ShapingTable.Of(entries);
        ShapingSubject[] subjects =
        [
            new("other.test", Host: null, Route: null), new("other.test", Host: null, Route: null, "ACME"), new("other.test", Host: null, "*", "acme"),
            new("other.test", "one.MX.test", "*", "acme"), new("b.example.net", "one.mx.test", "*"), new("a.example.net", "one.mx.test", "*"), new("example.net", "mx.test", Route: null),
        ];

        Assert.Equal([1, 2, 3, 4, 5, 6, 1], subjects.Select(s => TimeSpan.Parse(Said(table, ShapingKey.RetryFirst, s)!, System.Globalization.CultureInfo.InvariantCulture).Seconds));
    }

    [Fact]
    public void What_an_operator_says_of_the_same_hosts_stands_over_what_ships_and_what_is_said_of_all_mail_does_not()
    {
        ShapingSubject yahoo = new("yahoo.com", "mta5.am0.yahoodns.net", Route: null);
        Assert.Equal("20", Said(ShapingTable.Shipped, ShapingKey.MessagesPerConnection, yahoo));
        Assert.Equal("20", Said(ShapingTable.Of([Shaped.All(ShapingKey.MessagesPerConnection, 7)]), ShapingKey.MessagesPerConnection, yahoo));
        Assert.Equal("7", Said(ShapingTable.Of([Shaped.Host(".yahoodns.net", ShapingKey.MessagesPerConnection, 7)]), ShapingKey.MessagesPerConnection, yahoo));
        Assert.Null(Said(ShapingTable.Of([], withShipped: false), ShapingKey.MessagesPerConnection, yahoo));
    }

    [Fact]
    public void A_rate_of_the_tenant_one_of_the_route_and_one_of_the_place_hold_together_and_none_takes_one_away()
    {
        Rate rate = new(1, TimeSpan.FromSeconds(1), 1);
        var table = ShapingTable.Of(
        [
            Shaped.All(ShapingKey.Messages, rate), Shaped.Domain("example.net", ShapingKey.Messages, rate), Shaped.Route("*", ShapingKey.Messages, rate), Shaped.Tenant("acme", ShapingKey.Messages, rate),
            new ShapingEntry { Domains = ["free.test"], Values = ImmutableDictionary<ShapingKey, ShapingValue>.Empty.Add(ShapingKey.Messages, new ShapingValue(null, "none", "test:1")) },
        ]);
        Assert.Equal(
            ["tenant acme", "route *", "domain example.net"],
            RateNeeds.Of(table.For(new("example.net", Host: null, "*", "acme")), "example.net").Each.Select(static n => n.Scope));
        Assert.Equal(["destination other.test"], RateNeeds.Of(table.For(new("other.test", Host: null, Route: null)), "other.test").Each.Select(static n => n.Scope));
        Assert.Empty(RateNeeds.Of(table.For(new("free.test", Host: null, Route: null)), "free.test").Each);
    }

    [Fact]
    public async Task A_destination_has_its_own_schedule_of_retries()
    {
        await using var paces = new Paces(ShapingTable.Of([Shaped.Host("relay.test", ShapingKey.RetryFirst, TimeSpan.FromMinutes(7))]), static hop => hop is NextHop.SmartHost ? "relay.test" : null, new ManualClock());
        Assert.Equal(TimeSpan.FromMinutes(7), paces.RetryOf(new NextHop.SmartHost("relay.test", 25, Smtp.Client.ClientTls.None), tenant: null, RetrySchedule.Default).First);
        Assert.Equal(RetrySchedule.Default, paces.RetryOf(new NextHop.MailExchanger(Domain.Parse("a.test")), tenant: null, RetrySchedule.Default));
    }

    /// <summary>The page has a row for each value, with its source and the day.</summary>
    [Fact]
    public void Everything_that_ships_stands_in_the_documentation_with_where_it_is_from_and_when_that_was_read()
    {
        var page = File.ReadAllLines(SourceTree.PathOf("docs/shaping.md"));
        foreach (var entry in ShapingTable.Shipped.Entries)
        {
            foreach (var (key, value) in entry.Values)
                Assert.Contains(page, line => entry.Hosts.All(h => line.Contains($"`*{h}`", StringComparison.Ordinal))
                    && line.Contains($"`{key.Name}` | {value.Text} |", StringComparison.Ordinal)
                    && value.Source.Split(", ").Where(static s => s.StartsWith("https", StringComparison.Ordinal)).All(s => line.Contains(s.Split(';')[0], StringComparison.Ordinal)));
        }

        Assert.Contains(page, static line => line.Contains(ShippedShaping.Day, StringComparison.Ordinal));
        Assert.All(ShapingKey.All, key => Assert.Contains(page, line => line.StartsWith($"| `{key.Name}` |", StringComparison.Ordinal)));
    }
}

/// <summary>What may go by a rate, and in whose turn.</summary>
public sealed class RateBucketsTests
{
    private readonly ManualClock clock = new();

    private static RateNeeds Need(double count, double burst, string scope = "x") =>
        new([new RateNeed(scope, ShapingKey.Messages, new Rate(count, TimeSpan.FromSeconds(1), burst), new ShapingValue(null, "x", "test:1"))]);

    private static RateLoad One => new(1, 100);

    private static int Take(RateBuckets buckets, RateNeeds needs)
    {
        var who = new object();
        var count = 0;
        while (count < 1000 && buckets.TryTake(who, needs, One, static () => false) is null)
            count++;
        return count;
    }

    [Fact]
    public async Task A_server_that_has_just_begun_has_one_of_each_rate_and_later_a_burst()
    {
        await using var buckets = new RateBuckets(clock);
        Assert.Equal(1, Take(buckets, Need(2, burst: 10)));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(4, Take(buckets, Need(2, burst: 10)));
        Assert.Equal(5, Take(buckets, Need(2, burst: 10, "new")));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(10, Take(buckets, Need(2, burst: 10)));
        Assert.Equal(10, Take(buckets, Need(2, burst: 10, "newer")));
    }

    [Fact]
    public async Task Those_in_line_are_called_in_their_order_one_for_each_that_is_there_and_nobody_comes_between()
    {
        await using var buckets = new RateBuckets(clock);
        var needs = Need(1, burst: 1);
        var called = new List<int>();
        Assert.Null(buckets.TryTake(this, needs, One, static () => true));
        object[] who = [new(), new(), new()];
        for (var i = 0; i < who.Length; i++)
        {
            var number = i;
            Assert.NotNull(buckets.TryTake(who[i], needs, One, () =>
            {
                lock (called)
                    called.Add(number);
                return true;
            }));
        }

        for (var i = 0; i < who.Length; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1.01));
            await Shaped.UntilAsync(() => called.Count == i + 1);
            // What is there is kept for whoever was called.
            Assert.NotNull(buckets.TryTake(this, needs, One, static () => false));
            Assert.Null(buckets.TryTake(who[i], needs, One, static () => true));
        }

        Assert.Equal([0, 1, 2], called);
    }

    [Fact]
    public async Task Who_was_called_and_does_not_come_has_lost_the_turn()
    {
        await using var buckets = new RateBuckets(clock);
        var needs = Need(1, burst: 1);
        var isCalled = false;
        Assert.Null(buckets.TryTake(this, needs, One, static () => true));
        Assert.NotNull(buckets.TryTake(new object(), needs, One, static () => true));
        Assert.NotNull(buckets.TryTake(new object(), needs, One, () => isCalled = true));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.False(isCalled);
        clock.Advance(TimeSpan.FromSeconds(7));
        await Shaped.UntilAsync(() => isCalled);
    }

    [Fact]
    public async Task Buckets_that_are_full_and_waited_for_by_nobody_are_forgotten()
    {
        await using var buckets = new RateBuckets(clock);
        for (var i = 0; i < 20_000; i++)
        {
            Assert.Null(buckets.TryTake(this, Need(10, burst: 1, $"d{i}"), One, static () => true));
            if (i % 1000 == 0)
                clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(buckets.Count, 1, 3_000);
    }

    [Fact]
    public async Task Nothing_is_taken_of_one_rate_where_another_has_not_enough()
    {
        await using var buckets = new RateBuckets(clock);
        var (one, other) = (Need(1, burst: 1, "one"), Need(1, burst: 1, "other"));
        Assert.Null(buckets.TryTake(this, other, One, static () => true));
        Assert.Equal("other", buckets.TryTake(this, new([.. one.Each, .. other.Each]), One, static () => false)?.Scope);
        Assert.Null(buckets.TryTake(this, one, One, static () => true));
        // What was not needed is given back.
        buckets.Return(one, One);
        Assert.Null(buckets.TryTake(this, one, One, static () => true));
    }
}
