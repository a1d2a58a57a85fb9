using System.Collections.Concurrent;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>SIGKILL under load: 250 means durable.</summary>
[Collection(nameof(ProcessTests))]
public sealed class KillLosesNothingTests(ITestOutputHelper output)
{
    private const int Clients = 4;

    /// <summary>On the wire to the sink, or taken by it while the removal is still on its way into the log: two for each connection.</summary>
    private const int MostInFlight = 40;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("POSTERN_CRASH_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) ? rounds : 20;

    [Fact]
    public async Task Every_acknowledged_message_reaches_the_sink_whole_however_often_the_server_is_killed()
    {
        await using var load = new SubmissionLoad(Clients);
        var taken = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var broken = new ConcurrentQueue<string>();
        // Looked at as they come: a thousand rounds are millions of messages.
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Taken = message =>
            {
                var id = message.Recipients[0].Split('@')[0];
                taken.AddOrUpdate(id, 1, static (_, copies) => copies + 1);
                if (!IsWhole(load, id, message))
                    broken.Enqueue(id);
            },
        });
        using var home = await ProcessTests.HomeAsync(sink.Port);

        for (var round = 0; round < Rounds; round++)
        {
            await using var doomed = await home.ServeAsync();
            load.SendTo(doomed["submissions"]);
            await load.NextAcknowledgementAsync();
            await Task.Delay(Random.Shared.Next(200, 1500), ProcessTests.Stop);
            load.AwaitServer();
            await doomed.KillAsync();
        }

        await load.StopAsync();
        await using var last = await home.ServeAsync();
        await last.DrainAsync(ProcessTests.Stop);
        Assert.Equal(0, await last.StopAsync());

        Assert.Empty(load.Surprises);
        Assert.DoesNotContain(load.Acknowledged, id => !taken.ContainsKey(id));
        Assert.Empty(broken);
        var duplicates = taken.Values.Sum(static copies => copies - 1);
        output.WriteLine($"{Rounds} kills, {load.Acknowledged.Count} acknowledged, {load.Sent.Count} begun, {taken.Count} at the sink, {load.Acknowledged.Count(id => !taken.ContainsKey(id))} lost, {duplicates} twice");
        Assert.InRange(duplicates, 0, Rounds * MostInFlight);
        await AssertLoggedAsync(home.Logs, load.Acknowledged);
    }

    /// <summary>Of every message that got 250 the log tells that it was accepted and that it was delivered, whatever a kill took out of it.</summary>
    private static async Task AssertLoggedAsync(string logs, ICollection<string> acknowledged)
    {
        var (accepted, delivered, sent) = (new Dictionary<string, string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal), acknowledged.ToHashSet(StringComparer.Ordinal));
        await foreach (var audit in new AuditSearch(logs).FindAsync(new AuditQuery { Kinds = AuditKind.Mail }, ProcessTests.Stop))
        {
            if (audit is AcceptedEvent message)
                accepted[message.Recipients[0].Split('@')[0]] = message.QueueId;
            if (audit is DeliveryEvent { Outcome: DeliveryOutcome.Delivered } delivery)
                delivered.Add(delivery.QueueId);
        }

        Assert.DoesNotContain(sent, id => !accepted.ContainsKey(id));
        Assert.DoesNotContain(sent, id => !delivered.Contains(accepted[id]));
    }

    private static bool IsWhole(SubmissionLoad load, string id, SinkMessage message)
    {
        var body = message.Content.AsSpan().IndexOf("\r\n\r\n"u8);
        return body > 0
            && message.Recipients.Count == 1
            && message.Sender == PosternHome.User
            && message.Text.Contains($"\r\nSubject: {id}\r\n", StringComparison.Ordinal)
            && load.Sent[id] == SubmissionLoad.DigestOf(message.Content.AsSpan(body + 4));
    }
}
