using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Mail that would come straight back is seen at the first attempt, and its sender hears of it.</summary>
public sealed class OwnHostTests
{
    private static ScriptedSink Named(string name) => new(new SinkOptions
    {
        Script = (phase, _, _) => phase switch
        {
            SinkPhase.Connect => new SinkAction.Reply($"220 {name} ESMTP"),
            SinkPhase.Ehlo => new SinkAction.Reply($"250-{name}\r\n250 PIPELINING"),
            _ => null,
        },
    });

    private static ScriptedDns Exchangers(params (int, string)[] exchangers) => new((_, type) => type switch
    {
        DnsType.Mx => ScriptedDns.Mx(exchangers),
        DnsType.A => ScriptedDns.A("127.0.0.1"),
        _ => ScriptedDns.Nothing,
    });

    private static DeliveryOptions ByMx(ScriptedDns dns, int port) => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        MxPort = port,
        AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
    };

    private static async Task<DeliveryEvent> OutcomeAsync(DeliveryOptions options, params IPEndPoint[] listeners)
    {
        await using var rig = new DeliveryRig(options, listeners: () => listeners);
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        if (delivery.Outcome == DeliveryOutcome.Failed)
            Assert.NotNull((await rig.Audit.NextAsync<BounceEvent>()).BounceId);
        return delivery;
    }

    private static void AssertLoop(DeliveryEvent delivery)
    {
        Assert.Equal((DeliveryOutcome.Failed, 1), (delivery.Outcome, delivery.Attempt));
        Assert.Contains("come back here", delivery.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_to_an_address_where_we_listen_ends_at_the_first_attempt_with_a_report()
    {
        await using var sink = new ScriptedSink();
        var own = new IPEndPoint(IPAddress.Loopback, sink.Port);

        AssertLoop(await OutcomeAsync(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)), own));
        AssertLoop(await OutcomeAsync(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)), new IPEndPoint(IPAddress.Any, sink.Port)));
        Assert.Equal(0, sink.Connections);
        // Another program at another port of the same address is another.
        Assert.Equal(DeliveryOutcome.Delivered, (await OutcomeAsync(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)), new IPEndPoint(IPAddress.Any, sink.Port - 1))).Outcome);
    }

    [Fact]
    public async Task An_exchanger_with_our_name_ends_at_the_first_attempt_where_we_listen_at_its_port()
    {
        await using var sink = new ScriptedSink();
        await using var dns = Exchangers((10, "Relay.Test"));

        AssertLoop(await OutcomeAsync(ByMx(dns, sink.Port), new IPEndPoint(IPAddress.Parse("192.0.2.1"), sink.Port)));
        Assert.Equal(0, sink.Connections);
    }

    [Fact]
    public async Task An_exchanger_with_our_address_ends_at_the_first_attempt()
    {
        await using var sink = new ScriptedSink();
        await using var dns = Exchangers((10, "other.test"));

        AssertLoop(await OutcomeAsync(ByMx(dns, sink.Port), new IPEndPoint(IPAddress.Loopback, sink.Port)));
        Assert.Equal(0, sink.Connections);
    }

    [Theory]
    [InlineData("relay.test")]
    [InlineData("RELAY.test.")]
    public async Task A_server_that_greets_with_our_name_is_us_behind_whatever_address(string name)
    {
        await using var sink = Named(name);
        await using var dns = Exchangers((10, "forwarded.test"));

        AssertLoop(await OutcomeAsync(ByMx(dns, sink.Port)));
        AssertLoop(await OutcomeAsync(DeliveryRig.Options(DeliveryRig.To("*", sink.Port))));
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task A_login_is_not_shown_to_ourselves()
    {
        await using var sink = Named("relay.test");
        var route = new Route("*", $"smtp://127.0.0.1:{sink.Port}?tls=none") { Login = new(new() { User = "u", Password = new Sasl.Secret("p") }) { AllowsExposure = true } };

        AssertLoop(await OutcomeAsync(DeliveryRig.Options(route)));
        Assert.DoesNotContain(sink.Transcript(0), static l => l.StartsWith("C: AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_route_may_say_that_a_server_with_our_name_is_another()
    {
        await using var sink = Named("relay.test");

        Assert.Equal(DeliveryOutcome.Delivered, (await OutcomeAsync(DeliveryRig.Options(DeliveryRig.To("*", sink.Port) with { MayHaveOurName = true }))).Outcome);
        Assert.Equal("same_name", Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", "mx") { MayHaveOurName = true }])).Key);
    }

    [Fact]
    public async Task A_name_without_a_dot_is_many_hosts_name_and_tells_nothing()
    {
        await using var sink = Named("localhost");

        Assert.Equal(DeliveryOutcome.Delivered, (await OutcomeAsync(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { Hostname = Domain.Parse("localhost") })).Outcome);
    }

    [Fact]
    public async Task Where_we_are_an_exchanger_only_those_preferred_to_us_are_asked()
    {
        // The first puts the message off: it stays put off, and neither we nor those behind us are asked.
        await using var sink = new ScriptedSink(new SinkOptions { Script = static (phase, _, _) => phase == SinkPhase.Rcpt ? new SinkAction.Reply("450 4.2.0 Later") : null });
        await using var dns = Exchangers((5, "first.test"), (10, "relay.test"), (10, "beside.test"), (20, "behind.test"));

        var delivery = await OutcomeAsync(ByMx(dns, sink.Port), new IPEndPoint(IPAddress.Parse("192.0.2.1"), sink.Port));

        Assert.Equal((DeliveryOutcome.Deferred, "450 4.2.0 Later"), (delivery.Outcome, delivery.Reply));
        Assert.Equal(1, sink.Connections);
    }

    [Fact]
    public async Task An_own_address_among_exchangers_ends_the_list_and_what_was_put_off_stays_so()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Script = static (phase, _, _) => phase == SinkPhase.Rcpt ? new SinkAction.Reply("450 4.2.0 Later") : null }, IPAddress.Any);
        await using var dns = new ScriptedDns((name, type) => type switch
        {
            DnsType.Mx => ScriptedDns.Mx((5, "first.test"), (10, "own.test"), (20, "behind.test")),
            DnsType.A => ScriptedDns.A(name.StartsWith("own", StringComparison.Ordinal) ? "127.0.0.1" : "127.0.0.2"),
            _ => ScriptedDns.Nothing,
        });

        Assert.Equal(DeliveryOutcome.Deferred, (await OutcomeAsync(ByMx(dns, sink.Port), new IPEndPoint(IPAddress.Loopback, sink.Port))).Outcome);
        Assert.Equal(1, sink.Connections);
    }

    [Fact]
    public void An_address_of_this_machine_is_ours_where_we_listen_everywhere()
    {
        var own = new OwnHost(Domain.Parse("relay.test"), static () => [new IPEndPoint(IPAddress.IPv6Any, 25)], TimeProvider.System);

        Assert.All(
            NetworkInterface.GetAllNetworkInterfaces().SelectMany(static i => i.GetIPProperties().UnicastAddresses).Select(static a => a.Address).Where(static a => a.AddressFamily == AddressFamily.InterNetwork),
            a => Assert.True(own.Is(new IPEndPoint(a, 25))));
        Assert.False(own.Is(new IPEndPoint(IPAddress.Parse("192.0.2.77"), 25)));
        Assert.False(own.Is(new IPEndPoint(IPAddress.Loopback, 587)));
    }

    [Fact]
    public async Task A_route_binds_to_its_address_and_says_when_it_cannot()
    {
        await using var sink = new ScriptedSink(address: IPAddress.Any);
        var bound = DeliveryRig.To("*", sink.Port) with { Bind = IPAddress.Parse("127.0.0.9") };

        Assert.Equal(DeliveryOutcome.Delivered, (await OutcomeAsync(DeliveryRig.Options(bound))).Outcome);
        Assert.Equal("127.0.0.9", sink.Peers[0].ToString());
        Assert.StartsWith("bind to 192.0.2.99: ", (await OutcomeAsync(DeliveryRig.Options(bound with { Bind = IPAddress.Parse("192.0.2.99") }))).Reply, StringComparison.Ordinal);
        Assert.Contains("no address of this family", (await OutcomeAsync(DeliveryRig.Options(bound with { Bind = IPAddress.IPv6Loopback }))).Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exchangers_are_connected_to_from_the_address_of_their_route()
    {
        await using var sink = new ScriptedSink(address: IPAddress.Any);
        await using var dns = Exchangers((10, "mx.test"));
        var options = ByMx(dns, sink.Port) with { Routes = ((RouteParse.Ok)RouteTable.Parse([new Route("*", "mx") { Bind = IPAddress.Parse("127.0.0.9") }])).Table };

        Assert.Equal(DeliveryOutcome.Delivered, (await OutcomeAsync(options)).Outcome);
        Assert.Equal("127.0.0.9", sink.Peers[0].ToString());
    }
}
