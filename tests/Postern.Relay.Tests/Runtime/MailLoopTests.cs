using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Runtime;

public sealed class MailLoopTests
{
    /// <summary>Row 102: two relays that are each other's next hop pass a message on for fifty hops, and the sender gets one report.</summary>
    [Fact]
    public async Task Row_102_two_relays_routed_at_each_other_stop_at_the_hop_limit_with_one_report()
    {
        using var data = new TemporaryDirectory();
        await using var home = new ScriptedSink();
        await using var first = await StartAsync(data, "first.test");
        await using var second = await StartAsync(data, "second.test");
        Aim(first, second, home);
        Aim(second, first, home);

        await using (var client = await SmtpDialogue.GreetAsync(first.Endpoints[0].Endpoint))
        {
            await client.SayAsync("MAIL FROM:<a@home.test>", "250");
            await client.SayAsync("RCPT TO:<b@loop.test>", "250");
            await client.SayAsync("DATA", "354");
            await client.SayAsync("Subject: round and round\r\n\r\nx\r\n.", "250");
        }

        var report = await home.NextMessageAsync();
        await first.StopAsync(CancellationToken.None);
        await second.StopAsync(CancellationToken.None);

        Assert.Equal(("", "a@home.test"), (report.Sender, report.Recipients.Single()));
        Assert.Contains("\r\nStatus: 5.4.6\r\n", report.Text, StringComparison.Ordinal);
        Assert.Equal(51, report.Text.Split("\r\nReceived: ").Length - 1);
        Assert.Equal(1, first.Totals.Failed + second.Totals.Failed);
        Assert.Single(home.Messages);
    }

    private static async Task<RelayService> StartAsync(TemporaryDirectory data, string name)
    {
        var directory = Path.Combine(data.Path, name);
        Directory.CreateDirectory(directory);
        return await RelayService.StartAsync(
            new RelayOptions
            {
                Hostname = name,
                DataDirectory = directory,
                Listeners = [new SmtpListenerOptions { Name = "smtp", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
                Policy = new PolicyOptions { Networks = [IPNetwork.Parse("127.0.0.0/8")], SenderRules = [], RecipientRules = ["permit_networks"] },
                Delivery = new DeliveryOptions { Hostname = Domain.Parse(name) },
            },
            TimeProvider.System);
    }

    private static void Aim(RelayService relay, RelayService other, ScriptedSink home) => relay.Deliveries.Routes =
        ((RouteParse.Ok)RouteTable.Parse(
        [
            new Route("home.test", $"smtp://127.0.0.1:{home.Port}"),
            new Route("*", $"smtp://127.0.0.1:{other.Endpoints[0].Endpoint.Port}"),
        ])).Table;
}
