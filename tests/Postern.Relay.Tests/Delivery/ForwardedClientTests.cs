using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Smtp.Client;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A route whose server is told whose mail it is given.</summary>
public sealed class ForwardedClientTests
{
    private const string XClientOffer = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

    private static SinkOptions Offering(params string[] more) => new() { Extensions = ["PIPELINING", "CHUNKING", .. more] };

    private static Route At(ScriptedSink sink, ClientForward forward, string tls = "none") =>
        new("*", $"smtp://127.0.0.1:{sink.Port}?tls={tls}") { Forward = forward };

    private static Func<Envelope, Envelope> From(string client, string? login = null, int? port = 4711) => envelope => envelope with
    {
        Client = IPAddress.Parse(client),
        Login = login,
        ClientSession = port is null ? null : new PeerClaims
        {
            Port = port,
            Protocol = "ESMTP",
            Helo = "far.example",
            ServerAddress = IPAddress.Parse("192.0.2.25"),
            ServerPort = 587,
        },
    };

    private static async Task<DeliveryEvent> DeliverAsync(Route route, Func<Envelope, Envelope> with)
    {
        await using var rig = new DeliveryRig(DeliveryRig.Options(route));
        rig.Scheduler.Start();
        await rig.AddAsync(with, "b@there.test");
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }

    private static string[] Said(ScriptedSink sink, int connection = 0) =>
        [.. sink.Transcript(connection).Where(static l => l.StartsWith("C: ", StringComparison.Ordinal)).Select(static l => l[3..])];

    [Fact]
    public async Task By_xclient_the_server_hears_of_the_client_and_the_session_starts_over_under_its_name()
    {
        await using var sink = new ScriptedSink(Offering(XClientOffer));

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(At(sink, ClientForward.XClient), From("2001:db8::7", "us er"))).Outcome);

        Assert.Equal(
            [
                "EHLO relay.test",
                "XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7 PORT=4711 PROTO=ESMTP HELO=far.example LOGIN=us+20er DESTADDR=192.0.2.25 DESTPORT=587",
                "EHLO far.example",
                "MAIL FROM:<a@here.test>",
            ],
            Said(sink).Take(4));
    }

    [Fact]
    public async Task Only_what_is_offered_is_said_and_what_nobody_knows_is_unavailable()
    {
        await using var sink = new ScriptedSink(Offering("XCLIENT PORT ADDR HELO REVERSE_NAME"));

        await DeliverAsync(At(sink, ClientForward.XClient), From("192.0.2.7", port: null));

        Assert.Equal(["XCLIENT ADDR=192.0.2.7 PORT=[UNAVAILABLE] HELO=[UNAVAILABLE]", "EHLO relay.test"], Said(sink)[1..3]);
    }

    [Fact]
    public async Task A_client_whose_address_is_not_known_is_not_this_server()
    {
        await using var sink = new ScriptedSink(Offering("XCLIENT ADDR"));

        await DeliverAsync(At(sink, ClientForward.XClient), static e => e with { Client = IPAddress.None });

        Assert.Equal("XCLIENT ADDR=[UNAVAILABLE]", Said(sink)[1]);
    }

    [Fact]
    public async Task Another_client_is_named_on_the_same_connection_and_what_is_nobodys_has_one_of_its_own()
    {
        await using var sink = new ScriptedSink(Offering(XClientOffer));
        await using var rig = new DeliveryRig(DeliveryRig.Options(At(sink, ClientForward.XClient)) with { ConnectionsPerDestination = 1 });
        await rig.AddAsync(From("192.0.2.7"), "1@there.test");
        await rig.AddAsync(From("192.0.2.7"), "2@there.test");
        await rig.AddAsync(From("192.0.2.8"), "3@there.test");
        await rig.AddAsync(static e => e, "4@there.test");
        rig.Scheduler.Start();
        await sink.NextMessagesAsync(4);

        Assert.Equal(["RCPT TO:<1@there.test>", "RCPT TO:<2@there.test>", "RCPT TO:<3@there.test>"], sink.Messages.Take(3).Select(static m => m.RcptLines[0]));
        Assert.Equal(["192.0.2.7", "192.0.2.8"], Said(sink).Where(static l => l.StartsWith("XCLIENT", StringComparison.Ordinal)).Select(static l => l.Split(' ')[2][5..]));
        Assert.Equal(1, sink.Messages[3].Connection);
        Assert.DoesNotContain(Said(sink, 1), static l => l.StartsWith("XCLIENT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_transaction_that_was_refused_is_ended_before_the_next_client_is_named()
    {
        await using var sink = new ScriptedSink(Offering(XClientOffer) with
        {
            Script = static (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("1@", StringComparison.Ordinal) ? new SinkAction.Reply("550 5.1.1 Nobody") : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(At(sink, ClientForward.XClient)) with { ConnectionsPerDestination = 1 });
        await rig.AddAsync(From("192.0.2.7"), "1@there.test");
        await rig.AddAsync(From("192.0.2.8"), "2@there.test");
        rig.Scheduler.Start();
        await sink.NextMessageAsync();

        var said = Said(sink);
        Assert.Equal("RSET", said[Array.FindLastIndex(said, static l => l.StartsWith("XCLIENT", StringComparison.Ordinal)) - 1]);
    }

    [Theory]
    [InlineData("", null, "offers no XCLIENT")]
    [InlineData(XClientOffer, "550 5.7.0 Error: insufficient authorization", "XCLIENT: 550 5.7.0 Error: insufficient authorization")]
    [InlineData(XClientOffer, "421 4.7.0 Too many connections of this client", "421 4.7.0")]
    public async Task Where_the_client_cannot_be_named_no_mail_goes_under_this_servers_own_address(string offer, string? answer, string why)
    {
        await using var sink = new ScriptedSink(Offering(offer.Length == 0 ? [] : [offer]) with
        {
            Script = (phase, _, _) => phase == SinkPhase.Client && answer is not null ? new SinkAction.Reply(answer) : null,
        });

        var delivery = await DeliverAsync(At(sink, ClientForward.XClient), From("192.0.2.7"));

        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains(why, delivery.Reply, StringComparison.Ordinal);
        Assert.DoesNotContain(Said(sink), static l => l.StartsWith("MAIL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refusal_of_the_client_at_ehlo_defers_its_mail_and_gives_nothing_up()
    {
        var greetings = 0;
        await using var sink = new ScriptedSink(Offering(XClientOffer) with
        {
            Script = (phase, _, _) => phase == SinkPhase.Ehlo && ++greetings == 2 ? new SinkAction.Reply("550 5.7.1 Not you") : null,
        });

        var delivery = await DeliverAsync(At(sink, ClientForward.XClient), From("192.0.2.7"));

        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains("EHLO: 550 5.7.1 Not you", delivery.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_tls_is_owed_nobody_is_named_in_clear()
    {
        await using var sink = new ScriptedSink(Offering(XClientOffer));

        Assert.Equal(DeliveryOutcome.Deferred, (await DeliverAsync(At(sink, ClientForward.XClient, "required"), From("192.0.2.7"))).Outcome);

        Assert.DoesNotContain(Said(sink), static l => l.StartsWith("XCLIENT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Over_tls_the_client_is_named_behind_the_handshake()
    {
        await using var sink = new ScriptedSink(Offering(XClientOffer) with { Certificate = TestCertificate.Instance });

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(At(sink, ClientForward.XClient, "opportunistic"), From("192.0.2.7"))).Outcome);

        Assert.Equal(["EHLO", "STARTTLS", "EHLO", "XCLIENT", "EHLO", "MAIL"], Said(sink).Take(6).Select(static l => l.Split(' ')[0]));
    }

    [Theory]
    [InlineData("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE", "250 2.0.0 Ok")]
    [InlineData("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE", "550 5.7.0 Error: insufficient authorization")]
    [InlineData("SIZE", null)]
    public async Task By_xforward_the_log_hears_of_the_client_and_mail_goes_all_the_same(string offer, string? answer)
    {
        await using var sink = new ScriptedSink(Offering(offer) with
        {
            Script = (phase, _, _) => phase == SinkPhase.Client && answer is not null ? new SinkAction.Reply(answer) : null,
        });

        var delivery = await DeliverAsync(At(sink, ClientForward.XForward), From("192.0.2.7"));

        Assert.Equal(DeliveryOutcome.Delivered, delivery.Outcome);
        string[] expected = answer is null ? [] :
            [$"XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=far.example IDENT={delivery.QueueId} SOURCE=REMOTE"];
        Assert.Equal(expected, Said(sink).Where(static l => l.StartsWith("XFORWARD", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Mail_that_was_made_here_is_local_by_xforward()
    {
        await using var sink = new ScriptedSink(Offering("XFORWARD ADDR SOURCE"));

        await DeliverAsync(At(sink, ClientForward.XForward), static e => e);

        Assert.Equal("XFORWARD ADDR=[UNAVAILABLE] SOURCE=LOCAL", Said(sink)[1]);
    }

    [Theory]
    [InlineData("198.51.100.9", "PROXY TCP4 198.51.100.9 192.0.2.25 4711 587")]
    [InlineData("2001:db8::7", "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.25 4711 587")]
    public async Task A_proxy_header_comes_before_all_else(string client, string header)
    {
        await using var sink = new ScriptedSink();

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(At(sink, ClientForward.Proxy), From(client))).Outcome);

        Assert.Equal([header, "EHLO relay.test"], Said(sink).Take(2));
    }

    [Fact]
    public async Task Each_client_has_connections_of_its_own_behind_a_proxy_header()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(At(sink, ClientForward.Proxy)) with { ConnectionsPerDestination = 1 });
        await rig.AddAsync(From("192.0.2.7"), "1@there.test");
        await rig.AddAsync(From("192.0.2.7"), "2@there.test");
        await rig.AddAsync(From("192.0.2.8"), "3@there.test");
        await rig.AddAsync(static e => e, "4@there.test");
        rig.Scheduler.Start();
        await sink.NextMessagesAsync(4);

        Assert.Equal([0, 0, 1, 2], sink.Messages.OrderBy(static m => m.RcptLines[0], StringComparer.Ordinal).Select(static m => m.Connection));
        Assert.Equal("PROXY UNKNOWN", Said(sink, 2)[0]);
    }

    [Theory]
    [InlineData("mx", ClientForward.Proxy, "strangers")]
    [InlineData("discard:", ClientForward.XForward, "nobody is told")]
    public void Only_named_servers_are_told(string via, ClientForward forward, string why)
    {
        var wrong = Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", via) { Forward = forward }]));

        Assert.Equal("forward_client", wrong.Key);
        Assert.Contains(why, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_login_is_not_made_where_xclient_undoes_it()
    {
        var route = new Route("*", "smtp://127.0.0.1:1") { Forward = ClientForward.XClient, Login = new ClientLogin(new() { User = "u" }) };

        Assert.Equal("forward_client", Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([route])).Key);
        Assert.IsType<RouteParse.Ok>(RouteTable.Parse([route with { Forward = ClientForward.XForward }]));
    }
}
