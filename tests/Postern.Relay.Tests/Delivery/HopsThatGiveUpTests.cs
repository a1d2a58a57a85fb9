using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Delivery.Transports;
using Postern.Sasl;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Hosts that hang in a handshake, take no more over a connection, or are away for a time.</summary>
public sealed class HopsThatGiveUpTests
{
    private static readonly byte[] GoAhead = "220 2.0.0 Go ahead\r\n"u8.ToArray();

    private static readonly SmtpTimeouts Short = DeliveryRig.Patient with { Handshake = TimeSpan.FromMilliseconds(300) };

    private static SinkOptions Stalling(SinkAction? action = null) => SinkOptions.At(SinkPhase.StartTls, action ?? new SinkAction.Stall(GoAhead)) with { Extensions = ["PIPELINING", "STARTTLS"] };

    private static async Task<DeliveryEvent> DeliverAsync(DeliveryRig rig, string recipient = "b@there.test")
    {
        await rig.AddAsync(recipient);
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }

    public static TheoryData<string> Handshakes() => ["stalls", "closes", "resets", "closes before it answers", "421", "garbage"];

    [Theory]
    [MemberData(nameof(Handshakes))]
    public async Task Opportunistic_tls_that_a_host_gives_up_in_whatever_way_leaves_clear_text(string how)
    {
        SinkAction action = how switch
        {
            "stalls" => new SinkAction.Stall(GoAhead),
            "closes" => new SinkAction.Raw(GoAhead),
            "resets" => new SinkAction.Abort(),
            "closes before it answers" => new SinkAction.Close(),
            "421" => new SinkAction.Reply("421 4.7.0 No TLS today"),
            _ => new SinkAction.Raw("what?\r\n"u8.ToArray()),
        };
        await using var sink = new ScriptedSink(Stalling(action));
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { Timeouts = Short });
        rig.Scheduler.Start();

        var delivery = await DeliverAsync(rig);

        Assert.Equal((DeliveryOutcome.Delivered, 1, null), (delivery.Outcome, delivery.Attempt, delivery.Tls));
        Assert.Equal(2, sink.Connections);
    }

    [Fact]
    public async Task A_host_that_says_nothing_once_tls_is_on_is_spoken_to_in_clear()
    {
        using var certificate = TestCertificate.Create("sink.test");
        var hellos = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Certificate = certificate,
            Script = (phase, _, connection) => phase == SinkPhase.Ehlo && connection == 0 && ++hellos == 2 ? new SinkAction.Close() : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { Timeouts = Short });
        rig.Scheduler.Start();

        Assert.True(await DeliverAsync(rig) is { Outcome: DeliveryOutcome.Delivered, Tls: null });
        Assert.Equal(2, sink.Connections);
    }

    [Fact]
    public async Task A_handshake_that_hung_is_remembered_and_costs_the_next_connection_nothing()
    {
        await using var sink = new ScriptedSink(Stalling());
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { Timeouts = Short, MessagesPerConnection = 1 });
        rig.Scheduler.Start();

        await DeliverAsync(rig);
        await DeliverAsync(rig, "c@there.test");

        Assert.Equal(3, sink.Connections);
        Assert.DoesNotContain("C: STARTTLS", sink.Transcript(2));
    }

    [Fact]
    public void Hosts_whose_handshakes_hang_are_remembered_for_a_time_and_in_bounded_number()
    {
        var clock = new ManualClock();
        var stalled = new StalledTls(TimeSpan.FromMinutes(30), clock);
        var first = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 25);
        stalled.Note(first);
        clock.Advance(TimeSpan.FromMinutes(29));
        Assert.True(stalled.Remembers(first));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(stalled.Remembers(first));

        for (var i = 0; i < StalledTls.Most + 100; i++)
            stalled.Note(new IPEndPoint(new IPAddress(i), 25));
        Assert.InRange(stalled.Count, 1, StalledTls.Most);
    }

    [Theory]
    [InlineData("?tls=required")]
    [InlineData("?tls=opportunistic")]
    public async Task Where_tls_is_owed_a_handshake_that_hangs_goes_to_the_next_address_and_never_to_clear_text(string tls)
    {
        using var certificate = TestCertificate.Create("hop.test");
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Certificate = certificate,
            Script = (phase, _, connection) => phase == SinkPhase.StartTls && connection == 0 ? new SinkAction.Stall(GoAhead) : null,
        }, IPAddress.Any);
        // A login makes opportunistic TLS owed as well: no password goes in clear.
        var login = tls == "?tls=required" ? null : new ClientLogin(new() { User = "u", Password = new Secret("p") });
        var hop = Assert.IsType<NextHop.SmartHost>(((RouteParse.Ok)RouteTable.Parse([new Route("*", $"smtp://hop.test:{sink.Port}{tls}") { Login = login, Trusted = [certificate] }])).Table.Find("there.test"));
        var options = DeliveryRig.Options() with { Timeouts = Short };
        var client = new SmtpClientOptions { Hostname = options.Hostname, Timeouts = options.Timeouts };
        var connector = new HopConnector(options, new MxResolver([], TimeSpan.FromSeconds(1), TimeProvider.System), client, new OwnHost(options.Hostname, static () => [], TimeProvider.System)) { Names = new Postern.Relay.Delivery.Dns.SystemNames(TimeProvider.System) { Ask = _ => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.Parse("127.0.0.2")]) } };

        var trail = connector.Begin(hop, TimeProvider.System.GetTimestamp());
        var connection = await trail.NextAsync(CancellationToken.None);

        if (connection is HopConnection.Open open)
        {
            Assert.True(open.Dialogue.Tls is not null);
            await open.Dialogue.DisposeAsync();
        }

        Assert.Equal(2, sink.Connections);
        Assert.All([0, 1], i => Assert.Contains("C: STARTTLS", sink.Transcript(i)));
        Assert.DoesNotContain(Enumerable.Range(0, 2).SelectMany(sink.Transcript), static l => l.StartsWith("C: MAIL", StringComparison.Ordinal));
    }

    public static TheoryData<Exception> Ours() =>
    [
        new IOException("Too many open files", 24),
        new InsufficientMemoryException(),
        new CryptographicException((36 << 23) | 100),
        new IOException("wrapped", new SocketException((int)SocketError.NoBufferSpaceAvailable)),
        new IOException("wrapped", new SocketException((int)SocketError.NetworkUnreachable)),
        new IOException("wrapped", new SocketException((int)SocketError.HostUnreachable)),
        new IOException("wrapped", new SocketException((int)SocketError.NetworkDown)),
    ];

    [Theory]
    [MemberData(nameof(Ours))]
    public void What_this_machine_lacks_in_a_handshake_is_no_reason_for_clear_text(Exception cause)
    {
        ClientAnswer In(ClientPhase phase, Exception? why) => new ClientAnswer.Broken(phase, ClientFault.TlsFailed, "no") { Cause = why };
        var peers = new IOException("wrapped", new SocketException((int)SocketError.ConnectionReset));

        Assert.False(ClearText.MayFollow(In(ClientPhase.StartTls, cause), HopTerms.Strangers, isSecured: false));
        Assert.False(ClearText.MayFollow(In(ClientPhase.Ehlo, cause), HopTerms.Strangers, isSecured: true));
        Assert.True(ClearText.MayFollow(In(ClientPhase.StartTls, peers), HopTerms.Strangers, isSecured: false));
        Assert.False(ClearText.MayFollow(In(ClientPhase.StartTls, peers), HopTerms.Strangers with { Tls = ClientTls.Required }, isSecured: false));
        Assert.False(ClearText.MayFollow(new ClientAnswer.Broken(ClientPhase.StartTls, ClientFault.Injection, "evil"), HopTerms.Strangers, isSecured: false));
        Assert.False(ClearText.MayFollow(new ClientAnswer.Refused(ClientPhase.Greeting, new Reply(421, new(4, 3, 2), "Later")), HopTerms.Strangers, isSecured: false));
    }

    public static TheoryData<SinkPhase, string, bool> NoMore()
    {
        var cells = new TheoryData<SinkPhase, string, bool>();
        foreach (var pipelining in new[] { true, false })
        {
            cells.Add(SinkPhase.Mail, "452 4.5.3 Too many messages on this connection", pipelining);
            cells.Add(SinkPhase.Mail, "450 4.7.0 Too many messages for now", pipelining);
            cells.Add(SinkPhase.Mail, "452 Too many messages", pipelining);
            cells.Add(SinkPhase.Rcpt, "452 4.5.3 Too many messages on this connection", pipelining);
            cells.Add(SinkPhase.Data, "452 4.5.3 Too many messages on this connection", pipelining);
            cells.Add(SinkPhase.EndOfData, "452 4.5.3 Too many messages on this connection", pipelining);
            foreach (var phase in new[] { SinkPhase.Mail, SinkPhase.Rcpt, SinkPhase.Data, SinkPhase.EndOfData })
                cells.Add(phase, "421 4.7.0 Enough of you", pipelining);
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(NoMore))]
    public async Task A_connection_that_takes_no_more_is_closed_and_a_new_one_opened_in_the_same_attempt(SinkPhase phase, string reply, bool pipelining)
    {
        const int Each = 3;
        const int Count = 10;
        var taken = new Dictionary<int, int>();
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Extensions = pipelining ? ["PIPELINING"] : [],
            Script = (p, _, connection) =>
            {
                lock (taken)
                {
                    var before = taken.GetValueOrDefault(connection);
                    if (p == phase && before >= Each)
                        return new SinkAction.Reply(reply);
                    if (p == SinkPhase.EndOfData)
                        taken[connection] = before + 1;
                    return null;
                }
            },
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 });
        for (var i = 0; i < Count; i++)
            await rig.AddAsync($"r{i}@there.test");
        rig.Scheduler.Start();

        var messages = await sink.NextMessagesAsync(Count);
        for (var i = 0; i < Count; i++)
            Assert.True(await rig.Audit.NextAsync<DeliveryEvent>() is { Outcome: DeliveryOutcome.Delivered, Attempt: 1 });

        Assert.Equal(Count, messages.Select(m => m.Recipients[0]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(4, sink.Connections);
    }

    [Fact]
    public async Task A_host_that_takes_nothing_over_any_connection_is_asked_over_two_and_then_later()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Mail, new SinkAction.Reply("421 4.7.0 Enough of you")));
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        Assert.Equal(DeliveryOutcome.Deferred, (await DeliverAsync(rig)).Outcome);
        Assert.Equal(2, sink.Connections);
    }

    private static readonly DeliveryOptions HourlyToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"), new Route("other.test", "smtp://other.test")) with
    {
        Retry = new RetrySchedule(TimeSpan.FromHours(1), 1, TimeSpan.FromHours(1), TimeSpan.FromDays(5)),
    };

    private static DeliveryReport Away(bool isUnreachable) => new([new Outcome.Deferred("fake", "connect: refused", Tls: null) { IsUnreachable = isUnreachable }], Reached: false);

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_destination_that_comes_back_has_what_waits_for_it_at_once_and_not_at_its_own_hour()
    {
        var clock = new ManualClock();
        var isBack = false;
        var transport = new FakeTransport((_, _) => Task.FromResult(isBack ? new DeliveryReport([FakeTransport.Delivered], Reached: true) : Away(isUnreachable: true))) { IsBack = _ => isBack };
        await using var rig = new DeliveryRig(HourlyToFake, clock, transport: transport);
        rig.Scheduler.Start();
        Postern.Relay.Envelopes.QueueId[] ids = [await rig.AddAsync("a@there.test"), await rig.AddAsync("b@there.test"), await rig.AddAsync("c@elsewhere.test")];
        foreach (var id in ids)
            await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        await WaitUntilAsync(() => rig.Scheduler.Statistics() is { Active: 0 } && rig.Scheduler.DestinationsAway == 1);

        // Looks come 15, 30, 60 and 120 s apart.
        foreach (var (seconds, probes) in new[] { (16, 1), (31, 2), (61, 3), (119, 3) })
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            await WaitUntilAsync(() => transport.Probes >= probes);
            await WaitUntilAsync(() => rig.Scheduler.ProbesUnderWay == 0);
            Assert.Equal(probes, transport.Probes);
        }

        isBack = true;
        clock.Advance(TimeSpan.FromSeconds(10));
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);

        // Told when they have been called, of which the last one may be delivered by then.
        await WaitUntilAsync(() => rig.Audit.Events.OfType<ServerEvent>().Any(static e => e.Event == "destination_back" && e.Detail!.Contains("3 messages", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_message_that_gets_through_takes_the_others_along()
    {
        var clock = new ManualClock();
        var isBack = false;
        var transport = new FakeTransport((_, _) => Task.FromResult(isBack ? new DeliveryReport([FakeTransport.Delivered], Reached: true) : Away(isUnreachable: true)));
        await using var rig = new DeliveryRig(HourlyToFake, clock, transport: transport);
        rig.Scheduler.Start();
        var waiting = await rig.AddAsync("a@there.test");
        await rig.Spool.UpdatedAsync(waiting, static s => s.Attempts == 1);
        await WaitUntilAsync(() => rig.Scheduler.Statistics() is { Active: 0 } && rig.Scheduler.DestinationsAway == 1);

        isBack = true;
        // What comes while the lane still puts off what waited is put off with it: then the next one gets through.
        while (rig.Spool.Find(waiting) is not null)
        {
            await rig.AddAsync("new@there.test");
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_host_that_turns_us_away_is_not_probed()
    {
        var clock = new ManualClock();
        var transport = new FakeTransport((_, _) => Task.FromResult(Away(isUnreachable: false)));
        await using var rig = new DeliveryRig(HourlyToFake, clock, transport: transport);
        rig.Scheduler.Start();
        await rig.Spool.UpdatedAsync(await rig.AddAsync("a@there.test"), static s => s.Attempts == 1);
        await WaitUntilAsync(() => rig.Scheduler.Statistics() is { Active: 0 });

        Assert.Equal(0, rig.Scheduler.DestinationsAway);
    }

    [Fact]
    public async Task Destinations_that_are_looked_at_are_bounded_and_forgotten_when_nothing_waits_for_them()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var outages = new Outages(transport, HourlyToFake with { ProbeMost = TimeSpan.FromHours(1) }, clock, static (_, _) => { });
        for (var i = 0; i < Outages.Most + 50; i++)
            outages.Begin(new NextHop.MailExchanger(Domain.Parse($"d{i}.test")));
        Assert.Equal(Outages.Most, outages.Count);
        outages.End(new NextHop.MailExchanger(Domain.Parse("d0.test")));
        Assert.Equal(Outages.Most - 1, outages.Count);

        clock.Advance(TimeSpan.FromHours(3));
        await WaitUntilAsync(() => outages.UnderWay == 0);
        clock.Advance(TimeSpan.FromHours(3));
        await WaitUntilAsync(() => outages.UnderWay == 0);
        clock.Advance(TimeSpan.FromHours(3));
        await WaitUntilAsync(() => outages.Count == 0);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_and_a_greeting_of_4xx_are_worth_a_look_and_a_login_or_a_greeting_of_5xx_are_not()
    {
        async Task<Outcome.Deferred> WithAsync(SinkOptions options, ClientLogin? login = null)
        {
            await using var sink = new ScriptedSink(options);
            var route = new Route("*", $"smtp://127.0.0.1:{sink.Port}?tls=none") { Login = login };
            var lane = new SmtpDelivery(DeliveryRig.Options(route), TimeProvider.System).OpenLane(((RouteParse.Ok)RouteTable.Parse([route])).Table.Find("there.test"));
            await using (lane)
            {
                Assert.False(await lane.ProbeAsync(CancellationToken.None));
                var message = new OutgoingMessage(ReversePath.Null, [Mailbox.Parse("b@there.test")], MessageContent.From("x\r\n"u8.ToArray()));
                return Assert.IsType<Outcome.Deferred>((await lane.DeliverAsync(message, following: null, Unrecorded.Instance, CancellationToken.None)).Outcomes[0]);
            }
        }

        Assert.True((await WithAsync(SinkOptions.At(SinkPhase.Connect, new SinkAction.Reply("421 4.3.2 Full")))).IsUnreachable);
        Assert.True((await WithAsync(SinkOptions.At(SinkPhase.Connect, new SinkAction.Close()))).IsUnreachable);
        Assert.False((await WithAsync(SinkOptions.At(SinkPhase.Connect, new SinkAction.Reply("554 5.7.1 Blocked")))).IsUnreachable);
        var login = new ClientLogin(new() { User = "u", Password = new Secret("p") }) { AllowsExposure = true };
        Assert.False((await WithAsync(SinkOptions.At(SinkPhase.Auth, new SinkAction.Reply("535 5.7.8 No")) with { Extensions = ["AUTH PLAIN"] }, login)).IsUnreachable);
    }

    private sealed class Unrecorded : IOutcomeRecord
    {
        public static Unrecorded Instance { get; } = new();

        public ValueTask RecordAsync(IReadOnlyList<Outcome> outcomes) => ValueTask.CompletedTask;
    }
}
