using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Servers of a route that are found by MX or SRV, parts by weight, who stands in for mail exchangers, and which addresses are taken.</summary>
public sealed class FoundServersTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static ScriptedDns Mx(params (int, string)[] exchangers) => new((_, type) => type switch
    {
        DnsType.Mx => ScriptedDns.Mx(exchangers),
        DnsType.A => ScriptedDns.A("127.0.0.1"),
        _ => ScriptedDns.Nothing,
    });

    private static DnsReply Srv(params (int Priority, int Weight, int Port, string Target)[] records) => new(
        0,
        [.. records.Select(static r => ("", DnsType.Srv, (byte[])[0, (byte)r.Priority, 0, (byte)r.Weight, (byte)(r.Port >> 8), (byte)r.Port, .. ScriptedDns.Name(r.Target)]))]);

    private static async Task<DeliveryEvent> DeliverAsync(ScriptedDns dns, Route route, Func<DeliveryOptions, DeliveryOptions>? with = null)
    {
        var options = DeliveryRig.Options(route) with { Resolvers = [dns.EndPoint], ResolverTimeout = Patience };
        await using var rig = new DeliveryRig(with is null ? options : with(options));
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }

    [Fact]
    public async Task The_exchangers_of_an_operators_domain_are_asked_in_their_order_wherever_they_are()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = static (phase, _, connection) => phase == SinkPhase.Connect && connection == 0 ? new SinkAction.Reply("421 4.3.2 Full") : null,
        });
        await using var dns = Mx((20, "mx2.isp.test"), (10, "mx1.isp.test"));

        var delivery = await DeliverAsync(dns, new Route("*", $"smtp+mx://isp.test:{sink.Port}"));

        Assert.Equal((DeliveryOutcome.Delivered, $"mx2.isp.test[127.0.0.1]:{sink.Port}"), (delivery.Outcome, delivery.Remote));
        Assert.Contains(("isp.test", DnsType.Mx, false), dns.Questions);
    }

    [Theory]
    [InlineData("mx1.isp.test", "mx1.isp.test", DeliveryOutcome.Delivered)]
    [InlineData("mx.stranger.test", "isp.test", DeliveryOutcome.Delivered)]
    [InlineData("mx.stranger.test", "mx.stranger.test", DeliveryOutcome.Deferred)]
    public async Task A_certificate_proves_a_name_that_the_operator_wrote_or_one_below_it_and_none_that_dns_alone_says(string host, string certificate, DeliveryOutcome outcome)
    {
        using var shown = TestCertificate.Create(certificate);
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = shown });
        await using var dns = Mx((10, host));

        var delivery = await DeliverAsync(dns, new Route("*", $"smtp+mx://isp.test:{sink.Port}?tls=required") { Trusted = [X509CertificateLoader.LoadCertificate(shown.RawData)] });

        Assert.Equal(outcome, delivery.Outcome);
        Assert.Equal(outcome == DeliveryOutcome.Delivered ? 1 : 0, sink.Messages.Count);
    }

    [Fact]
    public async Task Submission_servers_are_found_by_srv_with_their_ports_and_by_priority()
    {
        await using var one = new ScriptedSink(SinkOptions.At(SinkPhase.Connect, new SinkAction.Reply("421 4.3.2 Full")));
        await using var two = new ScriptedSink();
        await using var dns = new ScriptedDns((name, type) => (name, type) switch
        {
            ("_submission._tcp.isp.test", DnsType.Srv) => Srv((20, 0, two.Port, "b.isp.test"), (10, 5, one.Port, "a.isp.test")),
            (_, DnsType.A) => ScriptedDns.A("127.0.0.1"),
            _ => ScriptedDns.Nothing,
        });

        var delivery = await DeliverAsync(dns, new Route("*", "smtp+srv://isp.test"));

        Assert.Equal((DeliveryOutcome.Delivered, $"b.isp.test[127.0.0.1]:{two.Port}"), (delivery.Outcome, delivery.Remote));
        Assert.Equal(1, one.Connections);
    }

    [Theory]
    [InlineData("smtp+srv://isp.test", "There is no SRV record at _submission._tcp.isp.test")]
    [InlineData("smtps+srv://isp.test", "There is no SRV record at _submissions._tcp.isp.test")]
    [InlineData("smtp+mx://isp.test", "Domain isp.test does not exist")]
    public async Task An_operators_domain_that_names_nobody_lets_mail_wait(string via, string reply)
    {
        await using var dns = new ScriptedDns(static (_, _) => ScriptedDns.NoSuchName);

        var delivery = await DeliverAsync(dns, new Route("*", via));

        Assert.Equal((DeliveryOutcome.Deferred, reply, "dns"), (delivery.Outcome, delivery.Reply, delivery.Phase));
    }

    [Theory]
    [InlineData("is an address", "smtp+mx://192.0.2.1")]
    [InlineData("is not known here", "smtp://a.test?weight=0")]
    [InlineData("is not known here", "smtp://a.test?weight=3&weight=3")]
    [InlineData("b.test:25 has no ?weight= and others do", "smtp://a.test?weight=3", "smtp://b.test")]
    public void What_cannot_be_meant_is_a_mistake(string message, params string[] via) =>
        Assert.Contains(message, Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", [.. via])])).Message, StringComparison.Ordinal);

    [Fact]
    public void What_weighs_three_times_as_much_is_first_three_times_as_often_and_everything_comes_once()
    {
        var random = new Random(1);
        var orders = Enumerable.Range(0, 4000).Select(_ => WeightedOrder.Of([3, 1], static w => w, random).ToArray()).ToList();

        Assert.All(orders, static order => Assert.Equal([1, 3], order.Order()));
        Assert.InRange(orders.Count(static order => order[0] == 3), 2850, 3150);
        Assert.Contains(Enumerable.Range(0, 100), _ => WeightedOrder.Of([0, 1], static w => w, random).First() == 0);
    }

    [Fact]
    public async Task Servers_with_weights_share_the_connections()
    {
        await using var one = new ScriptedSink();
        await using var two = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"smtp://127.0.0.1:{one.Port}?weight=1&tls=none", $"smtp://127.0.0.1:{two.Port}?weight=1")) with { MessagesPerConnection = 1 });
        rig.Scheduler.Start();
        for (var i = 0; one.Connections == 0 || two.Connections == 0; i++)
        {
            Assert.True(i < 200);
            await rig.AddAsync("b@there.test");
            Assert.Equal(DeliveryOutcome.Delivered, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
        }
    }

    [Fact]
    public async Task Who_stands_in_takes_the_mail_when_no_exchanger_could_be_spoken_to_for_so_long()
    {
        await using var relay = new ScriptedSink();
        await using var dns = Mx((10, "mx1.there.test"));
        var route = new Route("*", "mx") { Fallback = [$"smtp://127.0.0.1:{relay.Port}"], FallbackAfter = TimeSpan.FromMinutes(15) };
        DeliveryOptions Away(DeliveryOptions options) => options with { MxPort = Closed(), AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")] };

        Assert.Equal(DeliveryOutcome.Deferred, (await DeliverAsync(dns, route, Away)).Outcome);
        Assert.Equal(0, relay.Connections);
        var delivery = await DeliverAsync(dns, route with { FallbackAfter = TimeSpan.Zero }, Away);
        Assert.Equal((DeliveryOutcome.Delivered, $"[127.0.0.1]:{relay.Port}"), (delivery.Outcome, delivery.Remote));
    }

    [Theory]
    [InlineData(SinkPhase.Rcpt, "450 4.2.1 Later", DeliveryOutcome.Deferred)]
    [InlineData(SinkPhase.Mail, "550 5.7.1 No", DeliveryOutcome.Failed)]
    public async Task An_exchanger_that_speaks_has_the_say(SinkPhase phase, string reply, DeliveryOutcome outcome)
    {
        await using var relay = new ScriptedSink();
        await using var exchanger = new ScriptedSink(SinkOptions.At(phase, new SinkAction.Reply(reply)));
        await using var dns = Mx((10, "mx1.there.test"));

        var delivery = await DeliverAsync(
            dns,
            new Route("*", "mx") { Fallback = [$"smtp://127.0.0.1:{relay.Port}"], FallbackAfter = TimeSpan.Zero },
            options => options with { MxPort = exchanger.Port, AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")] });

        Assert.Equal(outcome, delivery.Outcome);
        Assert.Equal(0, relay.Connections);
    }

    [Fact]
    public void How_long_nobody_could_be_spoken_to_begins_anew_when_somebody_was()
    {
        var clock = new ManualClock();
        var absences = new Absences(clock);
        var hop = new NextHop.MailExchanger(Domain.Parse("there.test"));

        Assert.Equal(TimeSpan.Zero, absences.Note(hop));
        clock.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(TimeSpan.FromMinutes(16), absences.Note(hop));
        absences.End(hop);
        Assert.Equal(TimeSpan.Zero, absences.Note(hop));
    }

    [Fact]
    public void Only_exchangers_have_somebody_who_stands_in() => Assert.Equal(
        "fallback", Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", "smtp://a.test") { Fallback = ["smtp://b.test"] }])).Key);

    [Theory]
    [InlineData(AddressPreference.Ipv6Only, DeliveryOutcome.Delivered)]
    [InlineData(AddressPreference.Ipv6First, DeliveryOutcome.Delivered)]
    [InlineData(AddressPreference.Ipv4Only, DeliveryOutcome.Deferred)]
    public async Task Addresses_of_a_family_are_preferred_or_left_out(AddressPreference preference, DeliveryOutcome outcome)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "there is no IPv6 here");
        await using var sink = new ScriptedSink(address: IPAddress.IPv6Loopback);
        await using var dns = new ScriptedDns(static (_, type) => type switch
        {
            DnsType.Mx => ScriptedDns.Mx((10, "mx.there.test")),
            DnsType.A => ScriptedDns.A("127.0.0.1"),
            DnsType.Aaaa => new DnsReply(0, [("", DnsType.Aaaa, IPAddress.IPv6Loopback.GetAddressBytes())]),
            _ => ScriptedDns.Nothing,
        });

        var delivery = await DeliverAsync(
            dns, new Route("*", "mx"), options => options with { MxPort = sink.Port, Addresses = preference, AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")] });

        Assert.Equal(outcome, delivery.Outcome);
        Assert.Equal($"mx.there.test[{(outcome == DeliveryOutcome.Delivered ? "::1" : "127.0.0.1")}]:{sink.Port}", delivery.Remote);
    }

    private static int Closed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
