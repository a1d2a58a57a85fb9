using System.Collections.Frozen;
using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
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

    /// <summary>
    /// What comes round is inbound mail, whose sender anybody may have forged. This one was given here by somebody who may relay, as its trace says: that one sender hears of it.
    /// </summary>
    [Fact]
    public async Task A_loop_of_inbound_mail_tells_the_one_who_gave_the_message_here_once()
    {
        using var data = new TemporaryDirectory();
        await using var home = new ScriptedSink();
        await using var first = await StartAsync(data, "first.test", IPNetwork.Parse("127.0.0.1/32"));
        await using var second = await StartAsync(data, "second.test", IPNetwork.Parse("192.0.2.0/24"));
        // Only the client's address may relay; the servers reach each other from another one, as strangers do.
        Aim(first, second, home, IPAddress.Parse("127.0.0.9"));
        Aim(second, first, home, IPAddress.Parse("127.0.0.9"));

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
        Assert.Single(home.Messages);
    }

    /// <summary>The relay that finds the end of the loop must be the one that knows the submission; a chain of trace fields with another's or an unknown ID proves nothing.</summary>
    [Fact]
    public void A_submission_is_known_again_once_and_by_its_sender_only()
    {
        var submissions = new OwnSubmissions();
        var envelope = new Envelope
        {
            Id = QueueId.New(TimeProvider.System),
            ArrivedAt = DateTimeOffset.UnixEpoch,
            Said = new(new ReversePath(Mailbox.Parse("a@home.test")), [Mailbox.Parse("b@loop.test")]),
            Client = IPAddress.Loopback,
        };
        submissions.Note(envelope);
        submissions.Note(envelope with { Id = QueueId.New(TimeProvider.System), IsInbound = true });

        Assert.False(submissions.Take(envelope.Id, "victim@there.test"));
        Assert.False(submissions.Take(QueueId.New(TimeProvider.System), "a@home.test"));
        Assert.True(submissions.Take(envelope.Id, "a@home.test"));
        Assert.False(submissions.Take(envelope.Id, "a@home.test"));
    }

    private static async Task<RelayService> StartAsync(TemporaryDirectory data, string name, IPNetwork? networks = null)
    {
        var directory = Path.Combine(data.Path, name);
        Directory.CreateDirectory(directory);
        return await RelayService.StartAsync(
            new RelayOptions
            {
                Hostname = name,
                DataDirectory = directory,
                Listeners = [new SmtpListenerOptions { Name = "smtp", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
                Policy = new PolicyOptions { Networks = [networks ?? IPNetwork.Parse("127.0.0.0/8")], Domains = FrozenSet.Create(Domain.Parse("loop.test")), SenderRules = [], RecipientRules = ["permit_networks", "reject_unauth_destination"] },
                Delivery = new DeliveryOptions { Hostname = Domain.Parse(name) },
            },
            TimeProvider.System);
    }

    private static void Aim(RelayService relay, RelayService other, ScriptedSink home, IPAddress? from = null) => relay.Deliveries.Routes =
        ((RouteParse.Ok)RouteTable.Parse(
        [
            new Route("home.test", $"smtp://127.0.0.1:{home.Port}"),
            new Route("*", $"smtp://127.0.0.1:{other.Endpoints[0].Endpoint.Port}") { Bind = from },
        ])).Table;
}
