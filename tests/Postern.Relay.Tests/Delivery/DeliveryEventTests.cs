using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Smtp.Client;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>The log says of each outcome how far the attempt came and why it ended there, by values that nobody has to read out of a reply.</summary>
public sealed class DeliveryEventTests
{
    private static async Task<DeliveryEvent> DeliverAsync(Route route)
    {
        await using var rig = new DeliveryRig(DeliveryRig.Options(route));
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }

    private static Route To(ScriptedSink sink, string tls = "none") => new("*", $"smtp://127.0.0.1:{sink.Port}?tls={tls}");

    [Theory]
    [InlineData(SinkPhase.Connect, "554 5.7.1 Not you", "connect", 554, "5.7.1", "policy")]
    [InlineData(SinkPhase.Connect, "421 Later", "connect", 421, null, "server_busy")]
    [InlineData(SinkPhase.Mail, "550 5.1.8 Who are you", "mail", 550, "5.1.8", "sender_refused")]
    [InlineData(SinkPhase.Rcpt, "550 5.1.1 Nobody", "rcpt", 550, "5.1.1", "no_such_user")]
    [InlineData(SinkPhase.Rcpt, "450 4.2.1 Busy", "rcpt", 450, "4.2.1", "mailbox_busy")]
    [InlineData(SinkPhase.Rcpt, "452 4.2.2 Full", "rcpt", 452, "4.2.2", "mailbox_full")]
    [InlineData(SinkPhase.Rcpt, "550 not at all: 5.1.1", "rcpt", 550, "5.0.0", "refused")]
    [InlineData(SinkPhase.Rcpt, "550 no such user here", "rcpt", 550, "5.0.0", "no_such_user")]
    [InlineData(SinkPhase.Data, "451 4.3.0 Later", "data", 451, "4.3.0", "server_busy")]
    [InlineData(SinkPhase.EndOfData, "554 5.6.0 Spam", "end", 554, "5.6.0", "content_refused")]
    public async Task A_refusal_has_its_phase_its_code_its_status_and_a_category(SinkPhase phase, string reply, string word, int code, string? status, string category)
    {
        await using var sink = new ScriptedSink(SinkOptions.At(phase, new SinkAction.Reply(reply)));

        var delivery = await DeliverAsync(To(sink));

        Assert.Equal((word, code, status, category), (delivery.Phase, delivery.Code, delivery.Status, delivery.Category));
        Assert.Equal("*", delivery.Route);
        Assert.True(delivery.DurationMs >= 0);
    }

    [Fact]
    public async Task A_delivery_has_no_category_and_ends_at_the_end()
    {
        await using var sink = new ScriptedSink();

        var delivery = await DeliverAsync(To(sink));

        Assert.Equal((DeliveryOutcome.Delivered, "end", 250, null), (delivery.Outcome, delivery.Phase, delivery.Code, delivery.Category));
        Assert.True(delivery.DurationMs >= 0);
    }

    [Fact]
    public async Task Where_nobody_answers_tls_is_not_to_be_had_a_login_fails_or_an_extension_is_missing_there_is_no_code_of_a_refusal()
    {
        await using var sink = new ScriptedSink();
        await using var silent = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Close()));
        await using var small = new ScriptedSink(new SinkOptions { Extensions = ["SIZE 10"] });

        Assert.Equal(("connect", null, "unreachable"), Of(await DeliverAsync(new Route("*", "smtp://127.0.0.1:1"))));
        Assert.Equal(("tls", null, "no_tls"), Of(await DeliverAsync(To(sink, "required"))));
        Assert.Equal(("rcpt", null, "connection_broken"), Of(await DeliverAsync(To(silent))));
        Assert.Equal(("mail", null, "not_capable"), Of(await DeliverAsync(To(small))));
        Assert.Equal(("login", null, "login_failed"), Of(await DeliverAsync(To(sink) with { Login = new ClientLogin(new() { User = "u", Password = new("p") }) })));
        Assert.Equal(("dns", null, "unreachable"), Of(await DeliverAsync(new Route("*", "smtp://no-such-host.invalid"))));

        static (string?, int?, string?) Of(DeliveryEvent delivery) => (delivery.Phase, delivery.Code, delivery.Category);
    }

    [Fact]
    public void Every_cause_has_a_category_of_its_own_but_a_delivery()
    {
        var words = Enum.GetValues<DeliveryCause>().Where(static c => c != DeliveryCause.None)
            .Select(static cause => DeliveryEvents.CategoryOf(new Outcome.Deferred("there", "words", Tls: null) { Cause = cause })).ToArray();

        Assert.All(words, static word => Assert.NotNull(word));
        Assert.Equal(words.Length, words.Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("none", null, null)]
    [InlineData("opportunistic", "TLSv1.3", "unverified")]
    [InlineData("required", "TLSv1.3", "verified")]
    public async Task Over_what_tls_and_whether_it_proved_a_name_is_told(string tls, string? version, string? trust)
    {
        using var certificate = TestCertificate.Create("localhost");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        var delivery = await DeliverAsync(new Route("*", $"smtp://localhost:{sink.Port}?tls={tls}") { Trusted = tls == "required" ? [certificate] : null });

        Assert.Equal((DeliveryOutcome.Delivered, version, trust), (delivery.Outcome, delivery.Tls, delivery.TlsTrust));
    }

    /// <summary>A policy of a destination looks up what it needs, and answers for each host by itself.</summary>
    [Fact]
    public async Task Each_host_is_asked_about_and_what_its_terms_say_is_kept()
    {
        await using var one = new ScriptedSink();
        await using var two = new ScriptedSink();
        var asked = new List<string>();
        var options = DeliveryRig.Options();
        var client = new SmtpClientOptions { Hostname = options.Hostname, Timeouts = options.Timeouts };
        var connector = new HopConnector(options, new MxResolver([], TimeSpan.FromSeconds(1), TimeProvider.System), client, new OwnHost(options.Hostname, static () => [], TimeProvider.System))
        {
            Policy = new LookedUp(asked, one.Port),
        };
        NextHop hop = new NextHop.SmartHost([new("127.0.0.1", one.Port, ClientTls.None), new("127.0.0.1", two.Port, ClientTls.None)]);

        var connection = Assert.IsType<HopConnection.Open>(await connector.Begin(hop, TimeProvider.System.GetTimestamp()).NextAsync(CancellationToken.None));

        await connection.Dialogue.DisposeAsync();
        Assert.Equal(two.Port, connection.Endpoint.Address.Port);
        Assert.Equal(["127.0.0.1 0", "127.0.0.1 1"], asked);
        Assert.Equal(0, one.Connections);
    }

    private sealed class LookedUp(List<string> asked, int refused) : IHopPolicy
    {
        public async ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct)
        {
            await Task.Yield();
            asked.Add($"{host.Name} {host.Preference}");
            var server = Assert.IsType<NextHop.SmartHost>(hop).Servers[host.Preference];
            return new HopTerms(server.Tls, IsGuarded: false)
            {
                WhyNot = server.Port == refused ? new Outcome.Deferred(host.Name, "not on the list of its domain", Tls: null) { Cause = DeliveryCause.NoTls } : null,
            };
        }
    }
}
