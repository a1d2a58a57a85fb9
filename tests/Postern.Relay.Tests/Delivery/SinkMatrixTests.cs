using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>
/// Every misbehaviour of a next hop at every phase has its outcome, and costs no other destination anything: while the bad one has its
/// message, one to a good destination is delivered.
/// </summary>
public sealed class SinkMatrixTests
{
    private static readonly SinkPhase[] Phases =
        [SinkPhase.Connect, SinkPhase.Ehlo, SinkPhase.Mail, SinkPhase.Rcpt, SinkPhase.Data, SinkPhase.Content, SinkPhase.EndOfData];

    private static readonly (string Name, SinkAction Action, string Outcome, string Says)[] Behaviours =
    [
        ("4xx", new SinkAction.Reply("450 4.2.0 Later"), "deferred", "450 4.2.0 Later"),
        ("5xx", new SinkAction.Reply("550 5.2.0 Never"), "failed", "550 5.2.0 Never"),
        ("421", new SinkAction.Reply("421 4.3.2 Going"), "deferred", "421 4.3.2 Going"),
        ("hang", new SinkAction.Hang(), "deferred", "within 0.4 s"),
        ("close", new SinkAction.Close(), "deferred", "connection closed"),
        ("reset", new SinkAction.Abort(), "deferred", "reset"),
        ("garbage", new SinkAction.Raw("garbage\r\n"u8.ToArray()), "deferred", "not an SMTP reply"),
        ("bare newline", new SinkAction.Raw("250 ok\n"u8.ToArray()), "deferred", "CRLF"),
        ("mixed codes", new SinkAction.Raw("250-one\r\n550 two\r\n"u8.ToArray()), "deferred", "different codes"),
        ("out of step", new SinkAction.Reply("334 what"), "deferred", "out of step"),
        ("endless line", new SinkAction.Flood(Encoding.ASCII.GetBytes(new string('2', 8192))), "deferred", "longer than"),
        ("endless lines", new SinkAction.Flood("250-more\r\n"u8.ToArray()), "deferred", "more than 128 lines"),
    ];

    public static TheoryData<SinkPhase, string> Cells()
    {
        var cells = new TheoryData<SinkPhase, string>();
        foreach (var phase in Phases)
        {
            foreach (var (name, _, _, _) in Behaviours)
                cells.Add(phase, name);
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_misbehaving_destination_has_its_outcome_and_no_other_is_affected(SinkPhase phase, string behaviour)
    {
        var (_, action, outcome, says) = Behaviours.Single(b => b.Name == behaviour);
        if ((phase, behaviour) == (SinkPhase.Connect, "5xx"))
            outcome = "deferred";                        // it is this server that is turned away, not the message
        if ((phase, behaviour) == (SinkPhase.Ehlo, "5xx"))
            (outcome, says) = ("delivered", "250");      // the server is old: HELO
        await using var good = new ScriptedSink();
        await using var bad = new ScriptedSink(SinkOptions.At(phase, action));
        var options = DeliveryRig.Options(DeliveryRig.To("good.test", good.Port), DeliveryRig.To("bad.test", bad.Port)) with { Timeouts = behaviour == "hang" ? DeliveryRig.Hasty : DeliveryRig.Patient };
        await using var rig = new DeliveryRig(options);
        rig.Scheduler.Start();

        var badId = (await rig.AddAsync("b@bad.test")).ToString();
        var goodId = await rig.AddAsync("b@good.test");
        await good.NextMessageAsync();
        await rig.Spool.GoneAsync(goodId);
        DeliveryEvent delivery;
        do
            delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        while (delivery.QueueId != badId);

        Assert.Equal(outcome, EventWord.Of(delivery.Outcome));
        // A reset may overtake what was said before it, and writing into one reads differently.
        if (behaviour is not ("reset" or "close") && phase != SinkPhase.Content)
            Assert.Contains(says, delivery.Reply, StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(delivery.Remote);
        if (phase == SinkPhase.EndOfData && delivery.Reply.Contains("connection", StringComparison.Ordinal))
            Assert.Contains("may have been delivered", delivery.Reply, StringComparison.Ordinal);
        if (outcome == "failed")
            Assert.NotNull((await rig.Audit.NextAsync<BounceEvent>()).BounceId);
        else
            Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    [Fact]
    public async Task A_refused_connection_is_deferred()
    {
        var closed = new ScriptedSink();
        var port = closed.Port;
        await closed.DisposeAsync();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", port)));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains("connect: Connection refused", delivery.Reply, StringComparison.Ordinal);
        Assert.NotNull(delivery.NextAttempt);
    }

    [Theory]
    [InlineData("454 4.7.0 Not now", 1)]
    [InlineData("220 2.0.0 Go ahead, and the handshake fails", 2)]
    public async Task Opportunistic_tls_that_fails_still_delivers(string answer, int connections)
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.StartTls, new SinkAction.Reply(answer)) with { Extensions = ["STARTTLS"] });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal((DeliveryOutcome.Delivered, null), (delivery.Outcome, delivery.Tls));
        Assert.Equal(connections, sink.Connections);
    }

    [Fact]
    public async Task Octets_injected_behind_starttls_defer_the_message_and_nothing_is_sent_in_clear()
    {
        using var certificate = TestCertificate.Create("sink.test");
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.StartTls, new SinkAction.Raw("220 go\r\n250 evil\r\n"u8.ToArray())) with { Certificate = certificate });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains("in clear behind", delivery.Reply, StringComparison.Ordinal);
        Assert.Equal(1, sink.Connections);
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task A_server_that_takes_its_time_at_the_end_of_data_gets_one_copy()
    {
        var answer = new TaskCompletionSource();
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.EndOfData, new SinkAction.After(answer.Task)));
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("b@there.test");
        await sink.NextMessageAsync();
        answer.SetResult();
        await rig.Spool.GoneAsync(id);

        Assert.Single(sink.Messages);
        Assert.Equal(TimeSpan.FromMinutes(10), new Postern.Smtp.Client.SmtpTimeouts().EndOfData);
    }
}
