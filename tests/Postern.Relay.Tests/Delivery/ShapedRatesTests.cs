using System.Collections.Concurrent;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Rates of what leaves: what waits for one takes nothing, is not tried, holds up nobody else and goes when there is enough.</summary>
public sealed class ShapedRatesTests
{
    private readonly ManualClock clock = new();
    private readonly ConcurrentQueue<(string Domain, string Local, DateTimeOffset At)> sent = new();

    private FakeTransport Transport() => new((hop, message) =>
    {
        foreach (var recipient in message.Recipients)
            sent.Enqueue((recipient.Domain.Text, recipient.LocalPart, clock.GetUtcNow()));
        return Task.FromResult(new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true));
    });

    private static DeliveryOptions Options(params ShapingEntry[] entries) =>
        DeliveryRig.Options(new Route("*", "mx")) with { Shaping = ShapingTable.Of(entries), IdleClose = TimeSpan.FromDays(1) };

    private DeliveryRig Rig(DeliveryOptions options, FakeTransport? transport = null) => new(options, clock, transport: transport ?? Transport());

    private int SentTo(string domain) => sent.Count(s => s.Domain == domain);

    [Fact]
    public async Task A_thousand_messages_for_a_domain_with_a_rate_go_by_it_and_a_domain_beside_it_does_not_notice()
    {
        await using var rig = Rig(Options(Shaped.Domain("slow.test", ShapingKey.Messages, Shaped.PerSecond(20, burst: 5))));
        clock.Advance(TimeSpan.FromHours(1));
        rig.Scheduler.Start();
        for (var i = 0; i < 1000; i++)
        {
            await rig.AddAsync("b@slow.test");
            if (i % 10 == 0)
                await rig.Spool.GoneAsync(await rig.AddAsync("b@free.test"));
        }

        // The burst, and nothing else although its mail was there first.
        await UntilAsync(() => SentTo("slow.test") == 5 && SentTo("free.test") == 100);
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Any(static d => d is { Name: "slow.test", WaitsFor: { } why }
            && why.Contains("messages 20/s burst 5 for domain slow.test (test:1)", StringComparison.Ordinal)));
        Assert.Equal(5, SentTo("slow.test"));
        // Then one each fiftieth millisecond, exactly then.
        for (var i = 6; i <= 30; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(49));
            Assert.Equal(i - 1, SentTo("slow.test"));
            clock.Advance(TimeSpan.FromMilliseconds(2));
            await UntilAsync(() => SentTo("slow.test") == i);
            await WaitsAsync(rig, "slow.test");
        }

        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), static d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
    }

    [Fact]
    public async Task What_a_reload_lets_through_goes_at_once()
    {
        var transport = Transport();
        var slow = Options(Shaped.Domain("slow.test", ShapingKey.Messages, new Rate(1, TimeSpan.FromHours(1), 1)));
        await using var rig = Rig(slow, transport);
        rig.Scheduler.Start();
        var ids = new List<QueueId>();
        for (var i = 0; i < 50; i++)
            ids.Add(await rig.AddAsync("b@slow.test"));
        await UntilAsync(() => SentTo("slow.test") == 1);
        await WaitsAsync(rig, "slow.test");

        rig.Scheduler.Apply(Options(Shaped.Domain("slow.test", ShapingKey.Messages, Shaped.PerSecond(1000, burst: 1000))));
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Any(static d => d.WaitsFor?.Contains("1000/s", StringComparison.Ordinal) == true));
        clock.Advance(TimeSpan.FromMilliseconds(100));
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
        // And where nothing is said any more nothing waits.
        rig.Scheduler.Apply(slow);
        for (var i = 0; i < 10; i++)
            ids.Add(await rig.AddAsync("b@slow.test"));
        rig.Scheduler.Apply(Options());
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task A_tenants_rate_holds_over_all_destinations_and_for_nobody_else()
    {
        await using var rig = Rig(Options(Shaped.Tenant("acme", ShapingKey.Messages, Shaped.PerSecond(2, burst: 1))));
        rig.Scheduler.Start();
        for (var i = 0; i < 20; i++)
            await rig.AddAsync(static e => e with { Tenant = "acme" }, $"acme@d{i % 4}.test");
        await UntilAsync(() => sent.Count == 1);
        for (var i = 0; i < 20; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync(static e => e with { Tenant = "other" }, $"other@d{i % 4}.test"));

        Assert.Equal(1, sent.Count(static s => s.Local == "acme"));
        for (var i = 2; i <= 12; i++)
        {
            await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Length == 4);
            clock.Advance(TimeSpan.FromMilliseconds(501));
            await UntilAsync(() => sent.Count(static s => s.Local == "acme") == i);
            await StuckAsync(rig);
        }

        // In turn.
        Assert.All(sent.Where(static s => s.Local == "acme").CountBy(static s => s.Domain), static d => Assert.InRange(d.Value, 2, 4));
    }

    [Fact]
    public async Task Recipients_and_octets_count_too_and_what_is_larger_than_a_burst_goes_alone()
    {
        await using var rig = Rig(Options(
            Shaped.Domain("many.test", ShapingKey.Recipients, Shaped.PerSecond(10, burst: 10)),
            Shaped.Domain("large.test", ShapingKey.Bytes, new Rate(DeliveryRig.Content.Length, TimeSpan.FromSeconds(1), 1))));
        clock.Advance(TimeSpan.FromHours(1));
        rig.Scheduler.Start();
        await rig.AddAsync([.. Enumerable.Range(0, 30).Select(static i => $"r{i}@many.test")]);
        await UntilAsync(() => SentTo("many.test") == 30);
        await rig.AddAsync("last@many.test");
        await rig.AddAsync("b@large.test");
        await rig.AddAsync("c@large.test");
        await UntilAsync(() => SentTo("large.test") == 1);
        await WaitsAsync(rig, "many.test");
        await WaitsAsync(rig, "large.test");

        clock.Advance(TimeSpan.FromMilliseconds(1010));
        await UntilAsync(() => SentTo("large.test") == 2);
        clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Equal(30, SentTo("many.test"));
        clock.Advance(TimeSpan.FromMilliseconds(300));
        await UntilAsync(() => SentTo("many.test") == 31);
    }

    [Fact]
    public async Task A_rate_that_enough_waits_for_has_the_rest_wait_in_the_spool_and_no_other_mail_behind_it()
    {
        var options = Options(Shaped.Tenant("acme", ShapingKey.Messages, new Rate(1, TimeSpan.FromHours(1), 1))) with
        {
            MessagesAtWork = 40,
            MessagesAtWorkPerDestination = 10,
        };
        await using var rig = Rig(options);
        rig.Scheduler.Start();
        for (var i = 0; i < 200; i++)
            await rig.AddAsync(static e => e with { Tenant = "acme" }, $"acme@d{i}.test");
        await UntilAsync(() => sent.Count == 1);
        for (var i = 0; i < 50; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"free@d{i}.test"));

        Assert.InRange(rig.Scheduler.Statistics().Active, 1, 12);
        // What is in the spool comes when there is room.
        rig.Scheduler.Apply(options with { Shaping = ShapingTable.Of([]) });
        await UntilAsync(() => sent.Count == 250);
    }

    [Fact]
    public async Task A_destination_where_nobody_answers_uses_up_no_rate_of_others()
    {
        var transport = new FakeTransport((hop, message) => Task.FromResult(hop.Name == "away.test"
            ? new DeliveryReport([new Outcome.Deferred("away", "nobody", Tls: null) { IsUnreachable = true, Cause = DeliveryCause.Unreachable }], Reached: false)
            : new DeliveryReport([FakeTransport.Delivered], Reached: true)));
        await using var rig = Rig(Options(Shaped.Domain(".test", ShapingKey.Messages, new Rate(1, TimeSpan.FromHours(1), 1))), transport);
        rig.Scheduler.Start();
        await rig.Spool.UpdatedAsync(await rig.AddAsync("b@away.test"), static s => s.Attempts == 1);
        await rig.Spool.GoneAsync(await rig.AddAsync("b@there.test"));
    }

    private static Task UntilAsync(Func<bool> isSo) => Shaped.UntilAsync(isSo);

    private static async Task WaitsAsync(DeliveryRig rig, string domain) =>
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.Any(d => d.Name == domain && d.WaitsFor is not null));

    private static async Task StuckAsync(DeliveryRig rig) =>
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations.All(static d => d.Waiting == 0 || d.WaitsFor is not null));
}

/// <summary>Entries as tests write them.</summary>
internal static class Shaped
{
    public static async Task UntilAsync(Func<bool> isSo)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
            await Task.Delay(1, deadline.Token);
    }

    public static Rate PerSecond(double count, double burst) => new(count, TimeSpan.FromSeconds(1), burst);

    public static ShapingEntry Domain<T>(string domain, ShapingKey<T> key, T value) => Says(new ShapingEntry { Domains = [domain] }, key, value);

    public static ShapingEntry Host<T>(string host, ShapingKey<T> key, T value) => Says(new ShapingEntry { Hosts = [host] }, key, value);

    public static ShapingEntry Tenant<T>(string tenant, ShapingKey<T> key, T value) => Says(new ShapingEntry { Tenant = tenant }, key, value);

    public static ShapingEntry Route<T>(string route, ShapingKey<T> key, T value) => Says(new ShapingEntry { Route = route }, key, value);

    public static ShapingEntry All<T>(ShapingKey<T> key, T value) => Says(new ShapingEntry(), key, value);

    public static ShapingEntry Says<T>(this ShapingEntry entry, ShapingKey<T> key, T? value) =>
        entry with { Values = entry.Values.SetItem(key, new ShapingValue(value, value is Rate rate ? $"{rate.Count}/{(rate.Time == TimeSpan.FromSeconds(1) ? "s" : rate.Time)} burst {rate.Burst}" : $"{value}", "test:1")) };
}
