using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Smtp.Session;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A next hop that speaks LMTP (RFC 2033).</summary>
public sealed class LmtpDeliveryTests
{
    private static Route At(ScriptedSink sink) => new("*", $"lmtp://127.0.0.1:{sink.Port}");

    private static SinkOptions Answering(string start, params string[] extensions) => new()
    {
        Extensions = [.. extensions, "8BITMIME", "ENHANCEDSTATUSCODES"],
        Script = (phase, line, _) => phase == SinkPhase.EndOfData && line.Contains(start, StringComparison.Ordinal) ? new SinkAction.Reply("452 4.2.2 Full") : null,
    };

    private static async Task<List<DeliveryEvent>> DeliverAsync(Route route, params string[] recipients)
    {
        await using var rig = new DeliveryRig(DeliveryRig.Options(route));
        rig.Scheduler.Start();
        await rig.AddAsync(recipients);
        var events = new List<DeliveryEvent>();
        while (events.Count < recipients.Length)
            events.Add(await rig.Audit.NextAsync<DeliveryEvent>());
        return [.. events.OrderBy(static e => e.RecipientIndex)];
    }

    [Theory]
    [InlineData("PIPELINING")]
    [InlineData("SIZE 1000000")]
    public async Task Each_recipient_has_the_answer_that_is_given_for_it_behind_the_dot(string extension)
    {
        await using var sink = new ScriptedSink(Answering("<full@", extension));

        var events = await DeliverAsync(At(sink), "one@there.test", "full@there.test", "three@there.test");

        Assert.Equal([DeliveryOutcome.Delivered, DeliveryOutcome.Deferred, DeliveryOutcome.Delivered], events.Select(static e => e.Outcome));
        Assert.Equal("452 4.2.2 Full", events[1].Reply);
        Assert.Contains("C: LHLO relay.test", sink.Transcript(0));
        Assert.Equal([["one@there.test"], ["three@there.test"]], sink.Messages.Select(static m => m.Recipients));
    }

    [Fact]
    public async Task Who_was_refused_before_the_content_gets_no_answer_behind_it()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = static (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("<nobody@", StringComparison.Ordinal) ? new SinkAction.Reply("550 5.1.1 Nobody") : null,
        });

        var events = await DeliverAsync(At(sink), "nobody@there.test", "two@there.test");

        Assert.Equal([DeliveryOutcome.Failed, DeliveryOutcome.Delivered], events.Select(static e => e.Outcome));
    }

    [Fact]
    public async Task A_connection_that_breaks_between_two_answers_lets_only_those_wait_that_have_none()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = static (phase, line, connection) => phase == SinkPhase.EndOfData && connection == 0 && line.Contains("<two@", StringComparison.Ordinal) ? new SinkAction.Close() : null,
        });

        var events = await DeliverAsync(At(sink), "one@there.test", "two@there.test", "three@there.test");

        Assert.Equal([DeliveryOutcome.Delivered, DeliveryOutcome.Deferred, DeliveryOutcome.Deferred], events.Select(static e => e.Outcome));
        Assert.Contains("it may have been delivered", events[1].Reply, StringComparison.Ordinal);
        Assert.Equal("end", events[2].Phase);
    }

    [Fact]
    public async Task A_server_that_does_not_know_lhlo_is_not_spoken_to_by_smtp()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Ehlo, new SinkAction.Reply("502 5.5.2 What?")));

        Assert.Equal(DeliveryOutcome.Failed, Assert.Single(await DeliverAsync(At(sink), "one@there.test")).Outcome);
        Assert.DoesNotContain(sink.Transcript(0), static line => line.StartsWith("C: HELO", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_success_that_was_asked_for_is_reported_as_delivered()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("there.test", At(sink).Via), new Route("here.test", At(sink).Via)));
        rig.Scheduler.Start();
        await rig.AddAsync(static e => e with { Login = "a", Said = e.Said with { RecipientParameters = [new RecipientParameters { Notify = DsnNotify.Success }] } }, "one@there.test");

        Assert.Equal("one@there.test", Assert.Single((await sink.NextMessageAsync()).Recipients));
        var report = await sink.NextMessageAsync();
        Assert.Contains("Action: delivered", report.Text, StringComparison.Ordinal);
        Assert.Equal("a@here.test", Assert.Single(report.Recipients));
    }

    [Theory]
    [InlineData("lmtp://box.test", "box.test", 24, null, "box.test:24")]
    [InlineData("lmtp://[::1]:2424?tls=none", "::1", 2424, null, "[::1]:2424")]
    [InlineData("lmtp:unix:/run/dovecot/lmtp", "/run/dovecot/lmtp", 0, "/run/dovecot/lmtp", "unix:/run/dovecot/lmtp")]
    [InlineData("lmtp:///run/dovecot/lmtp", "/run/dovecot/lmtp", 0, "/run/dovecot/lmtp", "unix:/run/dovecot/lmtp")]
    public void A_server_of_mailboxes_is_read_from_its_uri(string via, string host, int port, string? socket, string name)
    {
        var server = Assert.Single(Assert.IsType<NextHop.SmartHost>(Routes.Table(new Route("*", via)).Find("any.test")).Servers);

        Assert.Equal((host, port, socket, true, name), (server.Host, server.Port, server.Socket, server.IsLmtp, server.Name));
    }

    [Theory]
    [InlineData("lmtp:unix:run/lmtp", "is not an absolute path")]
    [InlineData("lmtp:unix:", "is not an absolute path")]
    [InlineData("lmtp://box.test/path", "is not lmtp://")]
    public void What_is_no_such_server_is_a_mistake(string via, string message) =>
        Assert.Contains(message, Assert.IsType<RouteParse.Wrong>(RouteTable.Parse([new Route("*", via)])).Message, StringComparison.Ordinal);

    [Fact]
    public void Port_25_is_doubted() => Assert.Contains("lmtp://box.test is meant", RouteTable.DoubtOf(new Route("*", "lmtp://box.test:25")), StringComparison.Ordinal);
}
