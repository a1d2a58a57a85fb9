using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

public sealed class MxDeliveryTests
{
    private static DeliveryOptions Options(ScriptedDns dns, int port) => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        MxPort = port,
    };

    private static async Task<DeliveryEvent> OutcomeAsync(DeliveryOptions options, string recipient = "b@there.test")
    {
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();
        await rig.AddAsync(recipient);
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }

    [Fact]
    public async Task Mail_goes_to_the_next_exchanger_when_the_first_does_not_greet()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, _, connection) => phase == SinkPhase.Connect && connection == 0 ? new SinkAction.Reply("554 5.3.2 Not here") : null,
        });
        await using var dns = new ScriptedDns((name, type) => type switch
        {
            DnsType.Mx => ScriptedDns.Mx((10, "mx1.test"), (20, "mx2.test")),
            DnsType.A => ScriptedDns.A("127.0.0.1"),
            _ => ScriptedDns.Nothing,
        });

        var delivery = await OutcomeAsync(Options(dns, sink.Port) with { AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")] });

        Assert.Equal((DeliveryOutcome.Delivered, $"mx2.test[127.0.0.1]:{sink.Port}"), (delivery.Outcome, delivery.Remote));
    }

    [Theory]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("169.254.169.254", "link-local")]
    [InlineData("10.0.0.1", "private")]
    public async Task A_strangers_dns_does_not_lead_to_an_address_inside(string address, string why)
    {
        await using var sink = new ScriptedSink();
        await using var dns = new ScriptedDns((_, type) => type switch
        {
            DnsType.Mx => ScriptedDns.Mx((0, "inside.test")),
            DnsType.A => ScriptedDns.A(address),
            _ => ScriptedDns.Nothing,
        });

        var delivery = await OutcomeAsync(Options(dns, sink.Port));

        Assert.Equal(DeliveryOutcome.Failed, delivery.Outcome);
        Assert.Contains($"{why} address", delivery.Reply, StringComparison.Ordinal);
        Assert.Equal(0, sink.Connections);
    }

    [Fact]
    public async Task An_address_literal_is_guarded_like_an_exchanger()
    {
        await using var sink = new ScriptedSink();
        await using var dns = new ScriptedDns((_, _) => null);

        Assert.Equal(DeliveryOutcome.Failed, (await OutcomeAsync(Options(dns, sink.Port), "b@[127.0.0.1]")).Outcome);
        Assert.Equal(DeliveryOutcome.Delivered, (await OutcomeAsync(Options(dns, sink.Port) with { AllowedMxNetworks = [IPNetwork.Parse("127.0.0.1/32")] }, "b@[127.0.0.1]")).Outcome);
        Assert.DoesNotContain(dns.Questions, q => q.Name != "here.test");     // where the bounce goes
    }

    [Fact]
    public async Task What_dns_says_decides_between_never_and_later()
    {
        DnsReply? reply = null;
        await using var dns = new ScriptedDns((_, _) => reply);

        async Task<(string, string)> WithAsync(DnsReply? says)
        {
            reply = says;
            var isUseless = says is null or { Octets: not null };
            var delivery = await OutcomeAsync(Options(dns, port: 9) with { ResolverTimeout = isUseless ? TimeSpan.FromMilliseconds(50) : TimeSpan.FromSeconds(20) });
            return (EventWord.Of(delivery.Outcome), delivery.Reply);
        }

        Assert.Equal(("failed", "Domain there.test takes no mail (null MX)"), await WithAsync(ScriptedDns.Mx((0, ""))));
        Assert.Equal(("failed", "Domain there.test does not exist"), await WithAsync(ScriptedDns.NoSuchName));
        Assert.Equal(("failed", "Host there.test has no address"), await WithAsync(ScriptedDns.Nothing));
        Assert.Equal("deferred", (await WithAsync(ScriptedDns.ServerFailure)).Item1);
        Assert.Equal("deferred", (await WithAsync(null)).Item1);
        Assert.Equal("deferred", (await WithAsync(ScriptedDns.Nothing with { Octets = [1, 2, 3] })).Item1);
    }

    [Fact]
    public async Task A_domain_whose_dns_hangs_delays_no_other()
    {
        await using var sink = new ScriptedSink();
        await using var dns = new ScriptedDns((name, type) => name.StartsWith("slow", StringComparison.Ordinal) ? null : type == DnsType.A ? ScriptedDns.A("127.0.0.1") : ScriptedDns.Nothing);
        var options = Options(dns, sink.Port) with { AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")], ResolverTimeout = TimeSpan.FromMinutes(5) };
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();
        for (var i = 0; i < 20; i++)
            await rig.AddAsync($"b@slow{i}.test");

        for (var i = 0; i < 5; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync("b@fast.test"));

        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.All(rig.Audit.Events.OfType<DeliveryEvent>(), d => Assert.Equal("b@fast.test", d.Recipient));
    }
}
