using System.Collections.Concurrent;
using System.Globalization;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Several messages on their way at a time on one connection: all of them arrive, each once, whatever the host does.</summary>
public sealed class GroupDeliveryTests
{
    private static readonly string[] TakesGroups = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING"];

    /// <summary>Far from every host, so that groups are made; and one connection, so that there are messages to make them of.</summary>
    private static DeliveryOptions Options(int port, int? inFlight = null) =>
        DeliveryRig.Options(DeliveryRig.To("*", port) with { InFlight = inFlight }) with { FarFrom = TimeSpan.Zero, ConnectionsPerDestination = 1 };

    private static SinkOptions Sink(Func<SinkPhase, string, int, SinkAction?>? script = null) =>
        new() { Extensions = TakesGroups, Script = script ?? (static (_, _, _) => null) };

    [Fact]
    public async Task A_thousand_messages_arrive_each_once_and_in_order_of_their_sender()
    {
        await using var sink = new ScriptedSink(Sink());
        await using var rig = new DeliveryRig(Options(sink.Port));
        var recipients = await FillAsync(rig, 1000);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, recipients.Length);

        Assert.All(events, static e => Assert.Equal(DeliveryOutcome.Delivered, e.Outcome));
        Assert.Equal(recipients, sink.Messages.Select(static m => m.Recipients.Single()));
        Assert.Contains(Transcripts(sink), static line => line.StartsWith("C: BDAT ", StringComparison.Ordinal) && line != "C: BDAT 6 LAST");
        // It was found out once whether the host keeps step.
        Assert.Single(Transcripts(sink), static line => line == "C: BDAT 6 LAST");
    }

    [Fact]
    public async Task A_host_that_is_near_gets_one_after_another()
    {
        await using var sink = new ScriptedSink(Sink());
        await using var rig = new DeliveryRig(Options(sink.Port) with { FarFrom = TimeSpan.FromHours(1) });
        var recipients = await FillAsync(rig, 100);
        rig.Scheduler.Start();

        await EventsAsync(rig, recipients.Length);

        Assert.Equal(recipients, sink.Messages.Select(static m => m.Recipients.Single()));
        Assert.DoesNotContain(Transcripts(sink), static line => line.StartsWith("C: BDAT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_route_may_say_one_after_another()
    {
        await using var sink = new ScriptedSink(Sink());
        await using var rig = new DeliveryRig(Options(sink.Port, inFlight: 1));
        var recipients = await FillAsync(rig, 100);
        rig.Scheduler.Start();

        await EventsAsync(rig, recipients.Length);

        Assert.Equal(recipients, sink.Messages.Select(static m => m.Recipients.Single()));
        Assert.DoesNotContain(Transcripts(sink), static line => line.StartsWith("C: BDAT", StringComparison.Ordinal));
    }

    /// <summary>Such servers exist: what stands in a message that is refused would be obeyed.</summary>
    [Fact]
    public async Task A_host_that_takes_refused_chunks_for_commands_is_sent_none_of_any_message()
    {
        await using var sink = new ScriptedSink(Sink() with { TakesRefusedChunksForCommands = true });
        await using var rig = new DeliveryRig(Options(sink.Port));
        var recipients = await FillAsync(rig, 100);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, recipients.Length);

        Assert.All(events, static e => Assert.Equal((DeliveryOutcome.Delivered, 1), (e.Outcome, e.Attempt)));
        Assert.Equal(recipients.Order(), sink.Messages.Select(static m => m.Recipients.Single()).Order());
        Assert.All(Transcripts(sink).Where(static line => line.StartsWith("C: BDAT", StringComparison.Ordinal)), static line => Assert.Equal("C: BDAT 6 LAST", line));
        var told = rig.Audit.Events.OfType<ServerEvent>().Single(static e => e.Event == "one_at_a_time");
        Assert.Contains($"127.0.0.1]:{sink.Port}", told.Detail, StringComparison.Ordinal);
    }

    /// <summary>To be safe from content whose end they see elsewhere, some servers take nothing that came behind a message before its answer.</summary>
    [Theory]
    [InlineData("PIPELINING")]
    [InlineData("PIPELINING CHUNKING")]
    public async Task A_host_that_refuses_what_is_sent_ahead_gets_one_after_another_and_no_message_fails_for_it(string extensions)
    {
        await using var sink = new ScriptedSink(Sink() with { Extensions = extensions.Split(' '), RefusesWhatIsSentAhead = true });
        await using var rig = new DeliveryRig(Options(sink.Port));
        var recipients = await FillAsync(rig, 100);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, recipients.Length);

        Assert.All(events, static e => Assert.Equal((DeliveryOutcome.Delivered, 1), (e.Outcome, e.Attempt)));
        Assert.Equal(recipients.Order(), sink.Messages.Select(static m => m.Recipients.Single()).Order());
        Assert.Contains("503 Bad sequence", rig.Audit.Events.OfType<ServerEvent>().Single(static e => e.Event == "one_at_a_time").Detail, StringComparison.Ordinal);
        Assert.InRange(sink.Connections, 2, 3);
    }

    [Fact]
    public async Task Who_takes_two_and_leaves_gets_the_others_over_further_connections_and_no_attempt_is_counted()
    {
        var mails = new ConcurrentDictionary<int, int>();
        await using var sink = new ScriptedSink(Sink((phase, _, connection) =>
            phase == SinkPhase.Mail && mails.AddOrUpdate(connection, 1, static (_, n) => n + 1) > 2 ? new SinkAction.Reply("421 4.4.2 Enough") : null));
        await using var rig = new DeliveryRig(Options(sink.Port));
        var recipients = await FillAsync(rig, 40);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, recipients.Length);

        Assert.All(events, static e => Assert.Equal((DeliveryOutcome.Delivered, 1), (e.Outcome, e.Attempt)));
        Assert.Equal(recipients.Order(), sink.Messages.Select(static m => m.Recipients.Single()).Order());
    }

    [Fact]
    public async Task A_host_that_closes_in_the_middle_gets_one_after_another_from_then_on()
    {
        var isOver = 0;
        await using var sink = new ScriptedSink(Sink((phase, line, _) =>
            phase == SinkPhase.Chunk && line != "BDAT 6 LAST" && Interlocked.Exchange(ref isOver, 1) == 0 ? new SinkAction.Close() : null));
        await using var rig = new DeliveryRig(Options(sink.Port));
        var recipients = await FillAsync(rig, 100);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, recipients.Length);

        var lost = events.Where(static e => e.Outcome == DeliveryOutcome.Deferred).ToList();
        Assert.InRange(lost.Count, 1, NextHop.SmartHost.DefaultInFlight);
        Assert.All(lost, static e => Assert.Contains("may have been delivered", e.Reply, StringComparison.Ordinal));
        Assert.Contains(rig.Audit.Events.OfType<ServerEvent>(), static e => e.Event == "one_at_a_time");
        Assert.Equal(100, events.Select(static e => e.QueueId).Distinct().Count());
        // Of the second connection on there is no chunk any more.
        Assert.DoesNotContain(sink.Transcript(1), static line => line.StartsWith("C: BDAT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Messages_that_do_not_go_together_go_between_the_others()
    {
        await using var sink = new ScriptedSink(Sink());
        await using var rig = new DeliveryRig(Options(sink.Port));
        for (var i = 0; i < 60; i++)
            await rig.Spool.AddAsync(rig.Clock, i % 5 == 3 ? "Subject: bare\r\n\r\nline\nend" : DeliveryRig.Content, "a@here.test", [$"m{i}@there.test"]);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, 60);

        Assert.All(events, static e => Assert.Equal(DeliveryOutcome.Delivered, e.Outcome));
        Assert.Equal(Enumerable.Range(0, 60).Select(static i => $"m{i}@there.test"), sink.Messages.Select(static m => m.Recipients.Single()));
        Assert.All(sink.Messages, static m => Assert.EndsWith("\r\n", m.Text, StringComparison.Ordinal));
        Assert.DoesNotContain(sink.Messages, static m => m.Text.Replace("\r\n", "", StringComparison.Ordinal).Contains('\n', StringComparison.Ordinal));
    }

    /// <summary>
    /// Whatever is answered and wherever a connection ends: each message has one outcome of one attempt. Who says that it has it has it once,
    /// who refused it has none, and of what is deferred the host may have one only where its answer never came.
    /// </summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_the_host_does_each_message_ends_once(int seed)
    {
        const int Messages = 60;
        var random = new Random(seed);
        var gate = new Lock();
        var carried = new Dictionary<int, int>();
        await using var sink = new ScriptedSink(Sink((phase, line, connection) =>
        {
            lock (gate)
            {
                if (phase is SinkPhase.Chunk or SinkPhase.EndOfData && line != "BDAT 6 LAST")
                    carried[connection] = carried.GetValueOrDefault(connection) + 1;
                // The first on each is taken: a host that takes nothing is put off, which is for other tests.
                if (phase is not (SinkPhase.Mail or SinkPhase.Rcpt or SinkPhase.Data or SinkPhase.Chunk or SinkPhase.EndOfData or SinkPhase.Reset)
                    || line == "BDAT 6 LAST"
                    || carried.GetValueOrDefault(connection) < 2
                    || random.NextDouble() > 0.04)
                    return null;
                return random.Next(7) switch
                {
                    0 => new SinkAction.Reply("421 4.4.2 Enough"),
                    1 => new SinkAction.Close(),
                    2 => new SinkAction.Abort(),
                    3 => new SinkAction.Raw("garbage\r\n"u8.ToArray()),
                    4 => new SinkAction.Reply("550 5.2.0 Never"),
                    5 => new SinkAction.Reply("502 5.5.1 What?"),
                    _ => new SinkAction.Reply("451 4.3.0 Later"),
                };
            }
        }));
        await using var rig = new DeliveryRig(Options(sink.Port));
        var recipients = await FillAsync(rig, Messages);
        rig.Scheduler.Start();

        var events = await EventsAsync(rig, Messages);

        var taken = sink.Messages.SelectMany(static m => m.Recipients).ToLookup(static r => r);
        Assert.Equal(recipients.Order(), events.Select(static e => e.Recipient).Order());
        Assert.All(events, static e => Assert.Equal(1, e.Attempt));
        foreach (var delivery in events)
        {
            var copies = taken[delivery.Recipient].Count();
            var mayHaveIt = delivery.Reply.Contains("may have been delivered", StringComparison.Ordinal);
            Assert.True(
                delivery.Outcome == DeliveryOutcome.Delivered ? copies == 1 : copies <= (mayHaveIt ? 1 : 0),
                string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {delivery.Recipient} {delivery.Outcome} ({delivery.Reply}) has {copies} copies"));
        }
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    private static async Task<string[]> FillAsync(DeliveryRig rig, int count)
    {
        string[] recipients = [.. Enumerable.Range(0, count).Select(static i => $"m{i}@there.test")];
        foreach (var recipient in recipients)
            await rig.AddAsync(recipient);
        return recipients;
    }

    private static async Task<List<DeliveryEvent>> EventsAsync(DeliveryRig rig, int count)
    {
        var events = new List<DeliveryEvent>();
        while (events.Count < count)
        {
            // Reports on what failed go to where the mail goes.
            if (await rig.Audit.NextAsync<DeliveryEvent>() is { Recipient: ['m', ..] } delivery)
                events.Add(delivery);
        }

        return events;
    }

    private static IEnumerable<string> Transcripts(ScriptedSink sink) => Enumerable.Range(0, sink.Connections).SelectMany(sink.Transcript);
}
