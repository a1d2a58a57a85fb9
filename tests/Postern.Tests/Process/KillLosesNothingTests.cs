using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>SIGKILL under load: 250 means durable.</summary>
[Collection(nameof(ProcessTests))]
public sealed partial class KillLosesNothingTests(ITestOutputHelper output)
{
    private const int Clients = 4;

    /// <summary>One message of so many is for a recipient that its next hop does not know.</summary>
    private const int RefusedEvery = 50;

    /// <summary>On the wire to the sink, or taken by it while the removal is still on its way into the log: two for each connection.</summary>
    private const int MostInFlight = 40;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("POSTERN_CRASH_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) ? rounds : 20;

    [GeneratedRegex("\nFinal-Recipient: rfc822; ([0-9]+)@", RegexOptions.NonBacktracking)]
    private static partial Regex ReportedPattern { get; }

    [GeneratedRegex("\nMessage-ID: <([^>]+)>", RegexOptions.NonBacktracking)]
    private static partial Regex MessageIdPattern { get; }

    [Fact]
    public async Task Every_acknowledged_message_reaches_the_sink_whole_however_often_the_server_is_killed()
    {
        await using var load = new SubmissionLoad(Clients);
        var taken = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var broken = new ConcurrentQueue<string>();
        var reports = new ConcurrentDictionary<string, ConcurrentDictionary<string, bool>>(StringComparer.Ordinal);
        // Looked at as they come: a thousand rounds are millions of messages.
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = static (phase, line, _) =>
                phase == SinkPhase.Rcpt && IsRefused(line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..].Split('@')[0]) ? new SinkAction.Reply("550 5.1.1 No such user") : null,
            Taken = message =>
            {
                if (message.Sender.Length == 0)
                {
                    // A report may come twice, like any message; that there are two is told by their names.
                    reports.GetOrAdd(ReportedPattern.Match(message.Text).Groups[1].Value, static _ => new(StringComparer.Ordinal))[MessageIdPattern.Match(message.Text).Groups[1].Value] = true;
                    return;
                }

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
        Assert.DoesNotContain(load.Acknowledged, id => !IsRefused(id) && !taken.ContainsKey(id));
        Assert.Empty(broken);
        var refused = load.Acknowledged.Where(IsRefused).ToList();
        Assert.DoesNotContain(refused, id => !reports.ContainsKey(id));
        Assert.All(reports, static report => Assert.True(report.Value.Count == 1, $"{report.Key} was reported {report.Value.Count} times"));
        var duplicates = taken.Values.Sum(static copies => copies - 1);
        output.WriteLine($"{Rounds} kills, {load.Acknowledged.Count} acknowledged, {load.Sent.Count} begun, {taken.Count} at the sink, {load.Acknowledged.Count(id => !IsRefused(id) && !taken.ContainsKey(id))} lost, {duplicates} twice, {refused.Count} refused");
        Assert.InRange(duplicates, 0, Rounds * MostInFlight);
        await AssertLoggedAsync(home.Logs, load.Acknowledged);
    }

    /// <summary>
    /// Of every message that got 250 the log tells that it was accepted, and that it was delivered, or failed and reported: whatever a kill
    /// took out of it, and each as one thing.
    /// </summary>
    private static async Task AssertLoggedAsync(string logs, ICollection<string> acknowledged)
    {
        var (accepted, ended, reported) = (new Dictionary<string, string>(StringComparer.Ordinal), Set(), Set());
        await foreach (var audit in new AuditSearch(logs).FindAsync(new AuditQuery { Kinds = AuditKind.Mail }, ProcessTests.Stop))
        {
            if (audit is AcceptedEvent message)
                accepted[message.Recipients[0].Split('@')[0]] = message.QueueId;
            if (audit is DeliveryEvent { Outcome: not DeliveryOutcome.Deferred } delivery)
                (ended[delivery.QueueId] = ended.GetValueOrDefault(delivery.QueueId) ?? []).Add($"{EventWord.Of(delivery.Outcome)} {delivery.Id}");
            if (audit is BounceEvent bounce)
                (reported[bounce.QueueId] = reported.GetValueOrDefault(bounce.QueueId) ?? []).Add($"{bounce.BounceId} {bounce.Id}");
        }

        foreach (var id in acknowledged)
        {
            Assert.True(accepted.TryGetValue(id, out var queueId), $"that {id} was accepted is not in the log");
            Assert.StartsWith(IsRefused(id) ? "failed " : "delivered ", Assert.Single(ended.GetValueOrDefault(queueId) ?? []), StringComparison.Ordinal);
            Assert.Equal(IsRefused(id) ? 1 : 0, reported.GetValueOrDefault(queueId)?.Count ?? 0);
        }

        static Dictionary<string, HashSet<string>> Set() => new(StringComparer.Ordinal);
    }

    private static bool IsRefused(string id) => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number % RefusedEvery == 0;

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
