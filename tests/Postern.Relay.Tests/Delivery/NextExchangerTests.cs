using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Spool;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>What one host does not take for now is offered to the next in the same attempt (RFC 5321 §5.1), and nobody gets it twice.</summary>
public sealed class NextExchangerTests
{
    private const string Greylisted = "450 4.7.1 Greylisted";

    /// <summary>A domain with so many exchangers, all of them this sink: which host is spoken to is the number of the connection.</summary>
    private static ScriptedDns Exchangers(int count, Func<int, int>? preference = null) => new((_, type) => type switch
    {
        DnsType.Mx => ScriptedDns.Mx([.. Enumerable.Range(0, count).Select(i => (preference?.Invoke(i) ?? (10 * (i + 1)), $"mx{i}.test"))]),
        DnsType.A => ScriptedDns.A("127.0.0.1"),
        _ => ScriptedDns.Nothing,
    });

    private static DeliveryOptions Options(ScriptedDns dns, ScriptedSink sink) => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Resolvers = [dns.EndPoint],
        ResolverTimeout = TimeSpan.FromSeconds(20),
        MxPort = sink.Port,
        AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
    };

    private static SinkOptions OnFirst(SinkPhase phase, SinkAction action) => new() { Script = (p, _, connection) => p == phase && connection == 0 ? action : null };

    private static IEnumerable<DeliveryEvent> Deliveries(DeliveryRig rig) => rig.Audit.Events.OfType<DeliveryEvent>();

    public static TheoryData<SinkPhase, string> Undecided()
    {
        var cells = new TheoryData<SinkPhase, string>();
        foreach (var phase in new[] { SinkPhase.Connect, SinkPhase.Ehlo, SinkPhase.Mail, SinkPhase.Rcpt, SinkPhase.Data })
        {
            foreach (var behaviour in new[] { "4xx", "close", "hang", "garbage" })
                cells.Add(phase, behaviour);
        }

        cells.Add(SinkPhase.EndOfData, "4xx");
        cells.Add(SinkPhase.Connect, "5xx");
        return cells;
    }

    [Theory]
    [MemberData(nameof(Undecided))]
    public async Task What_fails_before_the_recipient_is_decided_goes_to_the_next_exchanger_in_the_same_attempt(SinkPhase phase, string behaviour)
    {
        SinkAction action = behaviour switch
        {
            "4xx" => new SinkAction.Reply(Greylisted),
            "5xx" => new SinkAction.Reply("554 5.7.1 Not from you"),
            "close" => new SinkAction.Close(),
            "hang" => new SinkAction.Hang(),
            _ => new SinkAction.Raw("garbage\r\n"u8.ToArray()),
        };
        await using var sink = new ScriptedSink(OnFirst(phase, action));
        await using var dns = Exchangers(2);
        await using var rig = new DeliveryRig(Options(dns, sink) with { Timeouts = behaviour == "hang" ? DeliveryRig.Hasty : DeliveryRig.Patient });
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync("b@there.test"));

        Assert.Equal((DeliveryOutcome.Delivered, 1, $"mx1.test[127.0.0.1]:{sink.Port}"), Deliveries(rig).Select(d => (d.Outcome, d.Attempt, d.Remote)).Single());
        Assert.Single(sink.Messages);
    }

    [Theory]
    [InlineData(SinkPhase.Mail)]
    [InlineData(SinkPhase.Rcpt)]
    [InlineData(SinkPhase.Data)]
    [InlineData(SinkPhase.EndOfData)]
    public async Task A_refusal_for_good_is_decided_and_no_other_exchanger_is_asked(SinkPhase phase)
    {
        await using var sink = new ScriptedSink(SinkOptions.At(phase, new SinkAction.Reply("550 5.7.1 Never")));
        await using var dns = Exchangers(3);
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();

        await rig.AddAsync(static e => e with { Said = e.Said with { Sender = ReversePath.Null } }, "b@there.test");        // nobody hears of it

        Assert.Equal(DeliveryOutcome.Failed, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
        Assert.Equal(1, sink.Connections);
    }

    [Fact]
    public async Task A_connection_lost_behind_the_end_of_data_is_not_followed_by_a_second_copy_at_once()
    {
        await using var sink = new ScriptedSink(OnFirst(SinkPhase.EndOfData, new SinkAction.Abort()));
        await using var dns = Exchangers(3);
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains("may have been delivered", delivery.Reply, StringComparison.Ordinal);
        Assert.Equal((1, 1), (sink.Connections, sink.Messages.Count));
    }

    [Fact]
    public async Task Each_recipient_is_decided_by_itself_and_none_gets_two_copies()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, connection) => (phase, connection) switch
            {
                (SinkPhase.Rcpt, 0) when line.Contains("<later", StringComparison.Ordinal) => new SinkAction.Reply(Greylisted),
                (SinkPhase.Rcpt, 0) when line.Contains("<never", StringComparison.Ordinal) => new SinkAction.Reply("550 5.1.1 No such user"),
                _ => null,
            },
        });
        await using var dns = Exchangers(2);
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("ok1@there.test", "later1@there.test", "never@there.test", "ok2@there.test", "later2@there.test");
        await rig.Spool.GoneAsync(id);

        Assert.Equal([["ok1@there.test", "ok2@there.test"], ["later1@there.test", "later2@there.test"]], sink.Messages.Select(m => m.Recipients).Take(2));
        Assert.Equal(
            ["delivered", "delivered", "delivered", "delivered", "failed"],
            Deliveries(rig).Where(d => d.QueueId == id.ToString()).Select(d => EventWord.Of(d.Outcome)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Who_has_it_is_recorded_before_the_next_exchanger_is_asked_about_the_others()
    {
        var second = new TaskCompletionSource();
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, connection) => (phase, connection) switch
            {
                (SinkPhase.Rcpt, 0) when line.Contains("<later", StringComparison.Ordinal) => new SinkAction.Reply(Greylisted),
                (SinkPhase.Mail, 1) => new SinkAction.After(second.Task),
                _ => null,
            },
        });
        await using var dns = Exchangers(2);
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("ok@there.test", "later@there.test");
        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].Status == RecipientStatus.Delivered);
        Assert.Equal(RecipientStatus.Pending, state.Recipients[1].Status);
        second.SetResult();
        await rig.Spool.GoneAsync(id);

        Assert.Equal(2, Deliveries(rig).Count());
    }

    [Fact]
    public async Task A_stop_while_the_next_exchanger_is_asked_forgets_nothing_that_is_decided()
    {
        var asked = new TaskCompletionSource();
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, connection) =>
            {
                if (phase == SinkPhase.Mail && connection == 1)
                    asked.TrySetResult();
                return (phase, connection) switch
                {
                    (SinkPhase.Rcpt, 0) when line.Contains("<later", StringComparison.Ordinal) => new SinkAction.Reply(Greylisted),
                    (SinkPhase.Mail, 1) => new SinkAction.Hang(),
                    _ => null,
                };
            },
        });
        await using var dns = Exchangers(2);
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test", "later@there.test");
        await asked.Task;

        await rig.Scheduler.StopAsync(TimeSpan.FromMinutes(1));

        Assert.Equal([RecipientStatus.Delivered, RecipientStatus.Pending], rig.Spool.Find(id)!.State.Recipients.Select(r => r.Status));
        Assert.Single(sink.Messages);
    }

    [Fact]
    public async Task Five_hosts_are_spoken_to_in_one_attempt_and_no_more()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply(Greylisted)));
        await using var dns = Exchangers(9);
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
        Assert.Equal((DeliveryOutcome.Deferred, Greylisted), (delivery.Outcome, delivery.Reply));
        Assert.Equal(5, sink.Connections);
    }

    [Fact]
    public async Task Ten_addresses_are_connected_to_in_one_attempt_and_no_more()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Connect, new SinkAction.Reply("554 5.7.1 No")));
        await using var dns = new ScriptedDns((_, type) => type switch
        {
            DnsType.Mx => ScriptedDns.Mx([.. Enumerable.Range(0, 9).Select(i => (i, $"mx{i}.test"))]),
            DnsType.A => ScriptedDns.A("127.0.0.1", "127.0.0.2"),
            _ => ScriptedDns.Nothing,
        });
        await using var rig = new DeliveryRig(Options(dns, sink));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        Assert.Equal(DeliveryOutcome.Deferred, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
        Assert.Equal(5, sink.Connections);                  // every other address is one where nothing listens
    }

    [Fact]
    public async Task No_further_exchanger_is_asked_once_the_attempt_has_lasted_its_time()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply(Greylisted)));
        await using var dns = Exchangers(3);
        await using var rig = new DeliveryRig(Options(dns, sink) with { AttemptTime = TimeSpan.Zero });
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        Assert.Equal(DeliveryOutcome.Deferred, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
        Assert.Equal(1, sink.Connections);
        Assert.Equal(TimeSpan.FromMinutes(10), Options(dns, sink).AttemptTime);
    }

    [Fact]
    public async Task The_first_exchanger_keeps_its_connection_and_has_the_next_message()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, connection) => phase == SinkPhase.Rcpt && connection == 0 && line.Contains("<later", StringComparison.Ordinal) ? new SinkAction.Reply(Greylisted) : null,
        });
        await using var dns = Exchangers(2);
        await using var rig = new DeliveryRig(Options(dns, sink) with { ConnectionsPerDestination = 1 });
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync("later@there.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("ok@there.test"));

        Assert.Equal([1, 0], sink.Messages.Select(m => m.Connection));
        Assert.Equal(2, sink.Connections);
    }

    [Fact]
    public async Task From_a_kept_connection_mail_goes_on_to_no_exchanger_that_is_preferred_to_it()
    {
        // The first exchanger turns the first connection away, so the second has the messages; what it defers goes on to the third.
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, connection) => (phase, connection) switch
            {
                (SinkPhase.Connect, 0) => new SinkAction.Reply("421 4.3.2 Not now"),
                (SinkPhase.Rcpt, 1) when line.Contains("<later", StringComparison.Ordinal) => new SinkAction.Reply(Greylisted),
                _ => null,
            },
        });
        await using var dns = Exchangers(3);
        await using var rig = new DeliveryRig(Options(dns, sink) with { ConnectionsPerDestination = 1 });
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync("ok@there.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("later@there.test"));

        Assert.Equal([$"mx1.test[127.0.0.1]:{sink.Port}", $"mx2.test[127.0.0.1]:{sink.Port}"], Deliveries(rig).Select(d => d.Remote));
    }

    [Theory]
    [InlineData("452 4.5.3 Too many recipients", true)]
    [InlineData("452 Too many recipients", true)]
    [InlineData("552 5.5.3 Too many recipients", true)]
    [InlineData("452 4.5.3 Too many recipients", false)]
    public async Task Recipients_that_are_too_many_for_one_transaction_have_another_over_the_same_connection(string reply, bool pipelining)
    {
        var taken = 0;
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Extensions = pipelining ? ["PIPELINING"] : [],
            Script = (phase, _, _) =>
            {
                if (phase == SinkPhase.Mail)
                    taken = 0;
                return phase == SinkPhase.Rcpt && ++taken > 2 ? new SinkAction.Reply(reply) : null;
            },
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 });
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync("a@there.test", "b@there.test", "c@there.test", "d@there.test", "e@there.test"));

        Assert.Equal([["a@there.test", "b@there.test"], ["c@there.test", "d@there.test"], ["e@there.test"]], sink.Messages.Select(m => m.Recipients));
        Assert.Equal(1, sink.Connections);
        Assert.All(Deliveries(rig), d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
    }

    [Fact]
    public async Task A_mailbox_that_is_full_is_not_taken_for_too_many_recipients()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("<full", StringComparison.Ordinal) ? new SinkAction.Reply("452 4.2.2 Mailbox full") : null,
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("ok@there.test", "full@there.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        Assert.Single(sink.Transcript(0), static l => l.StartsWith("C: MAIL", StringComparison.Ordinal));
    }
}
