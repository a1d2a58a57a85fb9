using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using Postern.Relay.Accounts;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Pools;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Policy.Counters;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Pools of addresses that mail leaves from.</summary>
public sealed class EgressPoolTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("postern-pools-");
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 12, 1, 12, 0, 0, TimeSpan.Zero));

    public void Dispose() => directory.Delete(recursive: true);

    private LocalCounters Counters() => LocalCounters.Open(Path.Combine(directory.FullName, "counters"), new RecordingAudit(), clock);

    private static EgressSource From(string address, string name = "out.test") => new(IPAddress.Parse(address), Domain.Parse(name));

    private static DeliveryOptions With(DeliveryOptions options, params EgressSource[] sources) =>
        options with { Pools = new Dictionary<string, EgressPool>(StringComparer.Ordinal) { ["p"] = new("p", [.. sources]) }.ToFrozenDictionary(StringComparer.Ordinal) };

    private static EgressPools Pools(ICounters counters, TimeProvider clock, params EgressSource[] sources)
    {
        var pools = new EgressPools(counters, clock);
        pools.Apply(With(DeliveryRig.Options(), sources));
        return pools;
    }

    private static async Task<EgressLease?> TakeAsync(EgressPools pools) =>
        (await pools.TakeAsync("p", AddressFamily.InterNetwork, CancellationToken.None) as EgressTake.Source)?.Lease;

    private static async Task<string> WhyAsync(EgressPools pools, AddressFamily family = AddressFamily.InterNetwork) =>
        Assert.IsType<EgressTake.None>(await pools.TakeAsync("p", family, CancellationToken.None)).Why;

    [Fact]
    public async Task Connections_come_from_the_source_that_has_the_fewest_in_turn_and_within_its_limit()
    {
        var pools = Pools(UnknownCounters.Instance, clock, From("192.0.2.1") with { Connections = 1 }, From("192.0.2.2") with { Connections = 2 });
        EgressLease?[] leases = [await TakeAsync(pools), await TakeAsync(pools), await TakeAsync(pools)];

        Assert.Equal(["192.0.2.1", "192.0.2.2", "192.0.2.2"], leases.Select(static l => l!.Source.Address.ToString()));
        Assert.Equal("no source of p may send now: 192.0.2.1 has its 1 connections; 192.0.2.2 has its 2 connections", await WhyAsync(pools));
        leases[0]!.Dispose();
        leases[0]!.Dispose();
        Assert.Equal("192.0.2.1", (await TakeAsync(pools))!.Source.Address.ToString());
        Assert.Contains("no source of p reaches an address of this family", await WhyAsync(pools, AddressFamily.InterNetworkV6), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_that_warms_up_sends_what_its_day_allows_also_after_a_restart_and_all_of_it_when_the_plan_is_over()
    {
        var source = From("192.0.2.1") with { WarmUp = new WarmUp(new DateOnly(2026, 12, 1), [2, 4]), Messages = new RateLimit(100, TimeSpan.FromDays(1)) };
        using (var counters = Counters())
        {
            var lease = await TakeAsync(Pools(counters, clock, source));
            Assert.True(await lease!.CountAsync(CancellationToken.None));
            Assert.True(await lease.CountAsync(CancellationToken.None));
            Assert.False(await lease.CountAsync(CancellationToken.None));
        }

        using var again = Counters();
        var pools = Pools(again, clock, source);
        Assert.Equal("no source of p may send now: 192.0.2.1 has sent its 2/24h", await WhyAsync(pools));
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(4, source.LimitAt(clock.GetUtcNow())!.Value.Count);
        Assert.NotNull(await TakeAsync(pools));
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(100, source.LimitAt(clock.GetUtcNow())!.Value.Count);
    }

    [Fact]
    public async Task A_source_sends_nothing_before_its_first_day() => Assert.Equal(
        "no source of p may send now: 192.0.2.1 begins on 2026-12-24",
        await WhyAsync(Pools(UnknownCounters.Instance, clock, From("192.0.2.1") with { WarmUp = new WarmUp(new DateOnly(2026, 12, 24), [5]) })));

    [Fact]
    public async Task Mail_leaves_from_each_address_in_turn_under_its_name_and_waits_when_none_may_send()
    {
        await using var sink = new ScriptedSink();
        using var counters = LocalCounters.Open(Path.Combine(directory.FullName, "counters"), new RecordingAudit(), TimeProvider.System);
        var one = new RateLimit(1, TimeSpan.FromDays(1));
        var options = With(
            DeliveryRig.Options(new Route("*", $"smtp://127.0.0.1:{sink.Port}") { Pool = "p" }), From("127.0.0.2", "two.test") with { Messages = one }, From("127.0.0.3", "three.test") with { Messages = one });
        await using var rig = new DeliveryRig(options, transport: new SmtpDelivery(options, TimeProvider.System, listeners: null, new StsCache(directory: null, TimeProvider.System), counters: counters));
        rig.Scheduler.Start();
        var events = new List<DeliveryEvent>();
        for (var i = 0; i < 3; i++)
        {
            await rig.AddAsync("b@there.test");
            events.Add(await rig.Audit.NextAsync<DeliveryEvent>());
        }

        Assert.Equal([DeliveryOutcome.Delivered, DeliveryOutcome.Delivered, DeliveryOutcome.Deferred], events.Select(static e => e.Outcome));
        Assert.Equal(["127.0.0.2", "127.0.0.3"], sink.Peers.Select(static p => p.ToString()));
        Assert.Contains("C: EHLO two.test", sink.Transcript(0));
        Assert.Contains("C: EHLO three.test", sink.Transcript(1));
        Assert.EndsWith(" has sent what it may for now", events[2].Reply, StringComparison.Ordinal);
        Assert.Equal("own_surroundings", events[2].Category);
    }

    [Fact]
    public void The_pool_of_a_tenant_is_for_its_mail_where_the_route_has_no_addresses_of_its_own()
    {
        var table = Routes.Table(
            new Route("own.test", "smtp://a.test") { Pool = "own" }, new Route("bound.test", "mx") { Bind = IPAddress.Loopback }, new Route("local.test", "discard:"), new Route("*", "smtp://b.test"))
            .With(new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["acme"] = "theirs" }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));

        string? PoolOf(string domain, string? tenant) => table.Find(Routes.From("a@here.test", tenant: tenant), Routes.To(domain)).Pool;
        Assert.Equal(("own", null, null, "theirs", null), (PoolOf("own.test", "Acme"), PoolOf("bound.test", "acme"), PoolOf("local.test", "acme"), PoolOf("any.test", "ACME"), PoolOf("any.test", "other")));
        Assert.NotEqual(table.Find(Routes.From("a@here.test", tenant: "acme"), Routes.To("any.test")), table.Find(Routes.From("a@here.test"), Routes.To("any.test")));
    }

    [Fact]
    public void A_pool_stands_beside_no_address_of_the_route() => Assert.Equal(
        "pool", Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", "mx") { Pool = "p", Hello = "x.test" }])).Key);
}
