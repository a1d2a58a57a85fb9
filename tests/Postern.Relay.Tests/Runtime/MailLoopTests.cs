using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Runtime;

public sealed class MailLoopTests
{
    /// <summary>Row 102: two relays that are each other's next hop see it when the message has come round once, and the sender gets one report.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]     // an alias: neither calls itself so
    [InlineData("localhost 127.0.0.1")]
    public async Task Row_102_two_relays_routed_at_each_other_stop_at_once_with_one_report(string by)
    {
        using var data = new TemporaryDirectory();
        await using var home = new ScriptedSink();
        await using var first = await StartAsync(data, "first.test");
        await using var second = await StartAsync(data, "second.test");
        Aim(first, second.Endpoints[0].Endpoint.Port, home, by: by);
        Aim(second, first.Endpoints[0].Endpoint.Port, home, by: by);

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
        Assert.Contains("has come back", report.Text, StringComparison.Ordinal);
        Assert.Equal(3, report.Text.Split("\r\nReceived: ").Length - 1);
        Assert.Equal(1, first.Totals.Failed + second.Totals.Failed);
        Assert.Single(home.Messages);
    }

    /// <summary>The memory of what was sent where is the server's, not the process's.</summary>
    [Fact]
    public async Task Mail_that_comes_round_after_a_restart_is_known_again()
    {
        using var data = new TemporaryDirectory();
        await using var home = new ScriptedSink();
        await using var other = new ScriptedSink();
        await using (var first = await StartAsync(data, "first.test"))
        {
            Aim(first, other.Port, home);
            await SubmitAsync(first, "Subject: round and round\r\n\r\nx\r\n");
            await other.NextMessageAsync();
            await first.StopAsync(CancellationToken.None);
        }

        await using var again = await StartAsync(data, "first.test");
        Aim(again, other.Port, home);
        await SubmitAsync(again, other.Messages.Single().Text);

        var report = await home.NextMessageAsync();
        Assert.Contains("\r\nStatus: 5.4.6\r\n", report.Text, StringComparison.Ordinal);
        Assert.Contains("has come back", report.Text, StringComparison.Ordinal);
        Assert.Single(other.Messages);
    }

    [Fact]
    public async Task A_loop_that_ends_after_a_restart_is_told_to_the_one_who_gave_the_message_here()
    {
        using var data = new TemporaryDirectory();
        await using var home = new ScriptedSink();
        await using var other = new ScriptedSink();
        await using (var first = await StartAsync(data, "first.test"))
        {
            Aim(first, other.Port, home);
            await SubmitAsync(first, "Subject: round and round\r\n\r\nx\r\n");
            await other.NextMessageAsync();
            await first.StopAsync(CancellationToken.None);
        }

        // It comes back from a stranger, so that its sender may be forged.
        await using var again = await StartAsync(data, "first.test", IPNetwork.Parse("192.0.2.0/24"));
        Aim(again, other.Port, home);
        await SubmitAsync(again, other.Messages.Single().Text);

        Assert.Equal("a@home.test", (await home.NextMessageAsync()).Recipients.Single());
    }

    [Fact]
    public void A_message_has_come_round_for_the_same_next_hop_of_another_run_and_for_no_other()
    {
        using var data = new TemporaryDirectory();
        var file = Path.Combine(data.Path, "sent");
        var (id, to) = (QueueId.New(TimeProvider.System), Mailbox.Parse("b@loop.test"));
        NextHop[] hops =
        [
            new NextHop.MailExchanger(Domain.Parse("loop.test")), new NextHop.SmartHost("filter.test", 10025, ClientTls.None),
            new NextHop.SmartHost("filter.test", 10025, ClientTls.None) { Pool = "other" }, new NextHop.SmartHost("filter.test", 10026, ClientTls.None),
        ];
        using (var marks = RecentMarks.Open(file, SentBefore.Slots, TimeProvider.System, static why => Assert.Fail(why)))
        {
            var sent = new SentBefore(marks);
            sent.Note(id, to, hops[0]);
            sent.Note(id, to, hops[1]);
        }

        using var again = RecentMarks.Open(file, SentBefore.Slots, TimeProvider.System, static why => Assert.Fail(why));
        Assert.Equal([true, true, false, false], hops.Select(hop => new SentBefore(again).Has(id, Mailbox.Parse("B@LOOP.test"), hop)));
    }

    /// <summary>Where nobody knows the message again, the number of its hops ends it (RFC 5321 §6.3).</summary>
    [Fact]
    public async Task A_message_with_more_than_fifty_trace_fields_is_refused()
    {
        using var data = new TemporaryDirectory();
        await using var relay = await StartAsync(data, "first.test");
        await using var client = await SmtpDialogue.GreetAsync(relay.Endpoints[0].Endpoint);
        var trace = string.Concat(Enumerable.Range(0, 51).Select(static i => $"Received: from h{i}.test by h{i + 1}.test; Thu, 1 Jan 2026 00:00:00 +0000\r\n"));
        await client.SayAsync("MAIL FROM:<a@home.test>", "250");
        await client.SayAsync("RCPT TO:<b@loop.test>", "250");
        await client.SayAsync("DATA", "354");
        await client.SayAsync($"{trace}Subject: round and round\r\n\r\nx\r\n.", "554 5.4.6");
    }

    /// <summary>Lists send a message back for others, and filters give it back for another next hop: neither is a loop.</summary>
    [Fact]
    public void A_message_has_come_round_only_for_the_same_recipient_and_the_same_next_hop()
    {
        var sent = new SentBefore();
        var id = QueueId.New(TimeProvider.System);
        var (to, other) = (Mailbox.Parse("b@loop.test"), Mailbox.Parse("c@loop.test"));
        NextHop hop = new NextHop.MailExchanger(Domain.Parse("loop.test")), filter = new NextHop.SmartHost("filter.test", 10025, ClientTls.None);
        sent.Note(id, to, hop);

        Assert.True(sent.Has(id, to, hop));
        Assert.True(sent.Has(id, Mailbox.Parse("B@LOOP.test"), new NextHop.MailExchanger(Domain.Parse("loop.test"))));
        Assert.False(sent.Has(id, other, hop));
        Assert.False(sent.Has(id, to, filter));
        Assert.False(sent.Has(QueueId.New(TimeProvider.System), to, hop));
    }

    /// <summary>An operator has sent it another way since: what counts is where it goes, not where the routes would lead.</summary>
    [Fact]
    public async Task A_message_that_came_round_and_goes_another_way_now_is_no_loop()
    {
        var transport = FakeTransport.ByLocalPart();
        var options = DeliveryRig.Options() with { Routes = RouteTable.Mx };
        await using var rig = new DeliveryRig(options, transport: transport);
        rig.Scheduler.Start();
        var first = await rig.AddAsync("ok@loop.test");
        await rig.Spool.GoneAsync(first);
        rig.Scheduler.Apply(options with { Routes = RouteTable.Hold });
        var back = await rig.AddAsync(envelope => envelope with { Earlier = new EarlierPass(first) }, "ok@loop.test");
        Assert.True(await rig.Spool.ChangeAsync(back, static e => e.State with { Via = "smtp://filter.test" }, TestContext.Current.CancellationToken));
        rig.Scheduler.Apply(options);
        await rig.Spool.GoneAsync(back);

        Assert.Equal(["loop.test", "filter.test:25"], transport.Attempts.Select(static a => a.Hop.Name));
    }

    [Theory]
    [InlineData("from x ([192.0.2.1]) by first.test with ESMTP id {0}; Thu, 1 Jan 2026 00:00:00 +0000", true)]
    [InlineData("from x ([192.0.2.1])\r\n\tby first.test\r\n\twith ESMTP\r\n\tid {0}\r\n\tfor <b@loop.test>; Thu, 1 Jan 2026 00:00:00 +0000", true)]
    [InlineData("from first.test ([192.0.2.1]) by second.test with ESMTP id {0}; Thu, 1 Jan 2026 00:00:00 +0000", false)]
    [InlineData("from x by first.test.evil with ESMTP id {0}; Thu, 1 Jan 2026 00:00:00 +0000", false)]
    [InlineData("from x by first.test with ESMTP id 4ABCDEF; Thu, 1 Jan 2026 00:00:00 +0000", false)]
    public void An_earlier_pass_is_read_from_a_trace_field_of_this_host_only(string field, bool isOurs)
    {
        var id = QueueId.New(TimeProvider.System);
        var section = Encoding.ASCII.GetBytes($"Received: from a by b.test id Z;\r\n\tThu, 1 Jan 2026 00:00:00 +0000\r\nReceived: {string.Format(CultureInfo.InvariantCulture, field, id)}\r\nSubject: x\r\n\r\n");
        Assert.Equal(isOurs ? new EarlierPass(id) : null, HeaderReview.Of(section, "first.test", isSubmission: false, submitter: null).Earlier);
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

    private static async Task SubmitAsync(RelayService relay, string content)
    {
        await using var client = await SmtpDialogue.GreetAsync(relay.Endpoints[0].Endpoint);
        await client.SayAsync("MAIL FROM:<a@home.test>", "250");
        await client.SayAsync("RCPT TO:<b@loop.test>", "250");
        await client.SayAsync("DATA", "354");
        await client.SayAsync($"{content}.", "250");
    }

    private static void Aim(RelayService relay, RelayService other, ScriptedSink home, IPAddress? from = null) =>
        Aim(relay, other.Endpoints[0].Endpoint.Port, home, from);

    /// <param name="by">Names of the other's host, as servers that are tried in this order.</param>
    private static void Aim(RelayService relay, int other, ScriptedSink home, IPAddress? from = null, string by = "127.0.0.1") => relay.Deliveries.Routes =
        ((RouteParse.Ok)RouteTable.Parse(
        [
            new Route("home.test", $"smtp://127.0.0.1:{home.Port}"),
            new Route("*", [.. by.Split(' ').Select(name => $"smtp://{name}:{other}")]) { Bind = from },
        ])).Table;
}
