using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>
/// REQUIRETLS (RFC 8689 §4.2.1) and whatever else one host has and another has not: each exchanger is asked, and only what none can have is returned.
/// </summary>
public sealed class RequireTlsTests : IDisposable
{
    private static readonly DeliveryTls Dane = TlsRig.Policy(TlsLevel.Dane, TlsOtherwise.Opportunistic);

    private readonly X509Certificate2 certificate = TestCertificate.Create("mx.there.test");

    public void Dispose() => certificate.Dispose();

    private static Envelope Required(Envelope envelope) => envelope with { Said = envelope.Said with { Parameters = new MailParameters { RequiresTls = true } } };

    private static Envelope Report(Envelope envelope) => Required(envelope) is var required ? required with { Said = required.Said with { Sender = ReversePath.Null } } : envelope;

    /// <summary>Exchangers of there.test, the first preferred; which of them is spoken to is the number of the connection.</summary>
    private ScriptedSink Sink(string[] first, params string[][] others)
    {
        string[][] offers = [first, .. others];
        return new ScriptedSink(new SinkOptions
        {
            Certificate = certificate,
            Script = (phase, _, connection) => phase == SinkPhase.Ehlo
                ? new SinkAction.Reply(string.Concat(offers[Math.Min(connection, offers.Length - 1)].Prepend("STARTTLS").Prepend("PIPELINING").Prepend("sink.test").Select(static l => $"250-{l}\r\n")) + "250 8BITMIME")
                : null,
        });
    }

    private Zones Exchangers(int port, int count)
    {
        var zones = new Zones();
        for (var i = 0; i < count; i++)
            zones.Mx("there.test", 10 * (i + 1), $"mx{i}.there.test").A($"mx{i}.there.test", "127.0.0.1").Tlsa($"mx{i}.there.test", port, certificate);
        return zones;
    }

    private static async Task<DeliveryEvent> DeliverAsync(Zones zones, ScriptedSink sink, Func<Envelope, Envelope> with, DeliveryTls? tls = null) =>
        await TlsRig.DeliverAsync(zones, sink, tls ?? Dane, with);

    [Fact]
    public async Task A_host_that_does_not_offer_it_is_passed_over_for_one_that_does()
    {
        await using var sink = Sink([], [], ["REQUIRETLS"]);

        var delivery = await DeliverAsync(Exchangers(sink.Port, 3), sink, Required);

        Assert.Equal((DeliveryOutcome.Delivered, $"mx2.there.test[127.0.0.1]:{sink.Port}", 3), (delivery.Outcome, delivery.Remote, sink.Connections));
        Assert.EndsWith(" REQUIRETLS", Assert.Single(sink.Messages).MailLine, StringComparison.Ordinal);
        Assert.DoesNotContain(sink.Transcript(0), static line => line.Contains("MAIL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_no_host_offers_it_the_message_is_returned_with_5_7_30_when_each_was_asked()
    {
        await using var sink = Sink([]);

        var delivery = await DeliverAsync(Exchangers(sink.Port, 3), sink, Required);

        Assert.Equal((DeliveryOutcome.Failed, "5.7.30", "REQUIRETLS: the next hop does not offer it", "not_capable"), (delivery.Outcome, delivery.Status, delivery.Reply, delivery.Category));
        Assert.Equal(3, sink.Connections);
        Assert.Empty(sink.Messages);
    }

    /// <summary>By a server that the operator named, and that has no TLS today.</summary>
    [Fact]
    public async Task Where_no_host_has_tls_the_status_is_5_7_10()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"smtp://127.0.0.1:{sink.Port}?tls=opportunistic")));
        rig.Scheduler.Start();
        await rig.AddAsync(Required, TlsRig.To);

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Failed, "5.7.10"), (delivery.Outcome, delivery.Status));
        // Its report may be there by now.
        Assert.DoesNotContain(sink.Messages, static m => m.Sender.Length > 0);
    }

    /// <summary>One behind it that is away is not waited for: it would have to be asked for days.</summary>
    [Theory]
    [InlineData(0, DeliveryOutcome.Deferred)]
    [InlineData(1, DeliveryOutcome.Failed)]
    public async Task A_host_that_is_away_is_waited_for_where_it_is_preferred_to_those_that_cannot(int away, DeliveryOutcome expected)
    {
        await using var sink = Sink([]);
        var zones = Exchangers(sink.Port, 2).Without($"mx{away}.there.test", Relay.Delivery.Dns.DnsType.A);
        zones.Broken.Add($"mx{away}.there.test");

        var delivery = await DeliverAsync(zones, sink, Required);

        Assert.Equal((expected, 1), (delivery.Outcome, sink.Connections));
        Assert.Empty(sink.Messages);
    }

    /// <summary>What servers that share connections by weight have to say does not depend on which of them came first.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_servers_with_weights_one_that_is_away_is_waited_for(bool isAwayFirst)
    {
        await using var sink = new ScriptedSink();
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string[] via = [$"smtp://127.0.0.1:{((IPEndPoint)nobody.LocalEndPoint!).Port}?tls=opportunistic&weight=1", $"smtp://127.0.0.1:{sink.Port}?tls=opportunistic&weight=1"];
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", [.. isAwayFirst ? via : Enumerable.Reverse(via)])));
        rig.Scheduler.Start();
        await rig.AddAsync(Required, TlsRig.To);

        Assert.Equal((DeliveryOutcome.Deferred, 1), await rig.Audit.NextAsync<DeliveryEvent>() is var d ? (d.Outcome, sink.Connections) : default);
    }

    [Fact]
    public async Task Exchangers_that_are_away_are_waited_for_where_those_who_stand_in_for_them_cannot()
    {
        await using var sink = new ScriptedSink();
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var dns = TlsRig.Zones().Serve();
        var options = TlsRig.Options(dns, ((IPEndPoint)nobody.LocalEndPoint!).Port, Dane) with
        {
            Routes = ((RouteParse.Ok)RouteTable.Parse([new Route("*", "mx") { Fallback = [$"smtp://127.0.0.1:{sink.Port}?tls=opportunistic"], FallbackAfter = TimeSpan.Zero }])).Table,
        };
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();
        await rig.AddAsync(Required, TlsRig.To);

        Assert.Equal((DeliveryOutcome.Deferred, 1), await rig.Audit.NextAsync<DeliveryEvent>() is var d ? (d.Outcome, sink.Connections) : default);
        Assert.Empty(sink.Messages);
    }

    /// <summary>The domain's DNS proves one exchanger and not the other.</summary>
    [Fact]
    public async Task A_host_that_nothing_proves_is_passed_over_for_one_that_is_proven()
    {
        await using var sink = Sink(["REQUIRETLS"]);
        var zones = Exchangers(sink.Port, 2);
        zones.Unsigned.Add("mx0.there.test");

        var delivery = await DeliverAsync(zones, sink, Required);

        Assert.Equal((DeliveryOutcome.Delivered, $"mx1.there.test[127.0.0.1]:{sink.Port}", "verified"), (delivery.Outcome, delivery.Remote, delivery.TlsTrust));
    }

    [Fact]
    public async Task A_connection_to_a_host_that_cannot_stays_for_other_mail_and_a_preferred_one_is_asked_too()
    {
        await using var sink = Sink([], ["REQUIRETLS"]);
        await using var dns = Exchangers(sink.Port, 2).Serve();
        await using var rig = new DeliveryRig(TlsRig.Options(dns, sink.Port, Dane));
        rig.Scheduler.Start();

        await rig.AddAsync(TlsRig.To);
        await sink.NextMessageAsync();
        await rig.Audit.NextAsync<DeliveryEvent>();
        await rig.AddAsync(Required, TlsRig.To);
        await sink.NextMessageAsync();
        await rig.Audit.NextAsync<DeliveryEvent>();
        await rig.AddAsync(TlsRig.To);
        await sink.NextMessageAsync();

        Assert.Equal([(0, false), (1, true), (0, false)], sink.Messages.Select(static m => (m.Connection, m.MailLine.Contains("REQUIRETLS", StringComparison.Ordinal))));
    }

    /// <summary>RFC 8689 §5: the requirement should not cause a report to be lost.</summary>
    [Fact]
    public async Task A_report_asks_for_it_where_some_host_has_it()
    {
        await using var sink = Sink([], ["REQUIRETLS"]);

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(Exchangers(sink.Port, 2), sink, Report)).Outcome);
        Assert.Equal((1, "MAIL FROM:<> REQUIRETLS"), Assert.Single(sink.Messages) is var taken ? (taken.Connection, taken.MailLine) : default);
    }

    [Theory]
    [InlineData(TlsLevel.Dane)]
    [InlineData(TlsLevel.Opportunistic)]
    public async Task A_report_goes_as_any_mail_where_no_host_has_it(TlsLevel level)
    {
        await using var sink = Sink([]);

        var delivery = await DeliverAsync(Exchangers(sink.Port, 2), sink, Report, TlsRig.Policy(level, TlsOtherwise.Opportunistic));

        Assert.Equal(DeliveryOutcome.Delivered, delivery.Outcome);
        Assert.Equal("MAIL FROM:<>", Assert.Single(sink.Messages).MailLine);
        Assert.True(sink.Messages[0].IsTls);
    }

    [Fact]
    public async Task Mailboxes_behind_a_socket_of_this_machine_have_it_without_tls()
    {
        using var home = new TemporaryDirectory();
        var path = Path.Combine(home.Path, "lmtp");
        await using var sink = new ScriptedSink();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var passing = PassAsync(listener, sink.Port);
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"lmtp:unix:{path}")));
        rig.Scheduler.Start();
        await rig.AddAsync(Required, TlsRig.To);

        Assert.Equal(DeliveryOutcome.Delivered, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
        Assert.DoesNotContain("REQUIRETLS", Assert.Single(sink.Messages).MailLine, StringComparison.Ordinal);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        listener.Dispose();
        await Task.WhenAny(passing);
    }

    [Theory]
    [InlineData("SMTPUTF8")]
    [InlineData("SIZE")]
    public async Task What_one_host_lacks_for_a_message_the_next_may_have(string what)
    {
        await using var sink = what == "SIZE" ? Sink(["SIZE 10"], ["SIZE 100000"]) : Sink([], ["SMTPUTF8"]);

        var delivery = await DeliverAsync(Exchangers(sink.Port, 2), sink, what == "SIZE" ? static e => e : Internationalized);

        Assert.Equal((DeliveryOutcome.Delivered, 1), (delivery.Outcome, Assert.Single(sink.Messages).Connection));
    }

    [Theory]
    [InlineData("SMTPUTF8", "5.6.7")]
    [InlineData("SIZE", "5.3.4")]
    public async Task What_no_host_can_have_is_returned_at_once(string what, string status)
    {
        await using var sink = Sink(what == "SIZE" ? ["SIZE 10"] : []);

        var delivery = await DeliverAsync(Exchangers(sink.Port, 2), sink, what == "SIZE" ? static e => e : Internationalized);

        Assert.Equal((DeliveryOutcome.Failed, status, 2), (delivery.Outcome, delivery.Status, sink.Connections));
        Assert.Empty(sink.Messages);
    }

    private static Envelope Internationalized(Envelope envelope) => envelope with
    {
        Said = envelope.Said with { Parameters = new MailParameters { IsUtf8 = true } },
        HasUtf8Header = true,
    };

    private static async Task PassAsync(Socket listener, int port)
    {
        using var near = await listener.AcceptAsync();
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await far.ConnectAsync(IPAddress.Loopback, port);
        await using var one = new NetworkStream(near);
        await using var other = new NetworkStream(far);
        await Task.WhenAny(one.CopyToAsync(other), other.CopyToAsync(one));
    }
}
