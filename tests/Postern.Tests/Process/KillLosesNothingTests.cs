using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary>
/// SIGKILL under load: 250 means durable. Mail leaves over TLS with tokens that are renewed every second or so, to a hop that now and then puts it
/// off, hangs up or loses its answer; refused recipients are reported, most of them gathered, and go onto the suppression list.
/// </summary>
[Collection(nameof(ProcessTests))]
public sealed partial class KillLosesNothingTests(ITestOutputHelper output)
{
    private const int Clients = 4;

    /// <summary>One message of so many is for a recipient that its next hop does not know.</summary>
    private const int RefusedEvery = 20;

    /// <summary>One answer of so many to the end of data is lost, when the message has been taken.</summary>
    private const int LostEvery = 300;

    /// <summary>One round of so many lasts until refused recipients have been put onto the suppression list.</summary>
    private const int LongEvery = 10;

    /// <summary>On the wire to the sink, or taken by it while the removal is still on its way into the log: two for each connection.</summary>
    private const int MostInFlight = 40;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("POSTERN_CRASH_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) ? rounds : 20;

    /// <summary>In a report, or in one of several that were gathered: its own name, and behind it whom it tells of.</summary>
    [GeneratedRegex("\n(?:Message-ID: <([^>]+)>|Final-Recipient: rfc822; ([0-9]+)@)", RegexOptions.NonBacktracking)]
    private static partial Regex ReportPattern { get; }

    [Fact]
    public async Task Every_acknowledged_message_reaches_the_sink_whole_however_often_the_server_is_killed()
    {
        await using var load = new SubmissionLoad(Clients);
        var seen = new Seen(load);
        await using var tokens = new TokenServer();
        var grants = new OneSuccessor();
        tokens.Answer = grants.Answer;
        var lost = 0;
        // Looked at as they come: a thousand rounds are millions of messages.
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Certificate = TestCertificate.Instance,
            Extensions = ["PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES", "AUTH XOAUTH2"],
            Script = (phase, line, _) => Misbehaviour(phase, line, () => Interlocked.Increment(ref lost)),
            Taken = seen.Take,
        });
        using var home = await HomeAsync(sink.Port, tokens.TokenUrl);

        for (var round = 0; round < Rounds; round++)
        {
            await using var doomed = await home.ServeAsync();
            load.SendTo(doomed["submissions"]);
            await load.NextAcknowledgementAsync();
            if (round % LongEvery == LongEvery - 1)
                await doomed.Output.FindAsync(static line => line.Contains("recipient_suppressed", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromMinutes(10), ProcessTests.Stop);
            else
                await Task.Delay(Random.Shared.Next(200, 1500), ProcessTests.Stop);
            load.AwaitServer();
            await doomed.KillAsync();
        }

        await load.StopAsync();
        await using var last = await home.ServeAsync();
        await last.DrainAsync(ProcessTests.Stop);
        Assert.Equal(0, await last.StopAsync());

        Assert.Empty(load.Surprises);
        Assert.Empty(grants.Refused);
        Assert.DoesNotContain(load.Acknowledged, id => !IsRefused(id) && !seen.Taken.ContainsKey(id));
        Assert.Empty(seen.Broken);
        var refused = load.Acknowledged.Where(IsRefused).ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(refused, id => !seen.Reports.ContainsKey(id));
        Assert.All(seen.Reports, static report => Assert.True(report.Value.Count == 1, $"{report.Key} was reported {report.Value.Count} times"));
        var suppressed = (await home.JsonAsync("suppression", "list", "--limit", "1000000")).EnumerateArray().Select(static one => one.GetProperty("address").GetString()!.Split('@')[0]).ToList();
        Assert.All(suppressed, static id => Assert.True(IsRefused(id), $"{id} is suppressed, and was not refused"));
        Assert.True(Rounds < LongEvery || suppressed.Count > 0, "nobody was suppressed");
        var duplicates = seen.Taken.Values.Sum(static copies => copies - 1);
        output.WriteLine(
            $"{Rounds} kills, {load.Acknowledged.Count} acknowledged, {load.Sent.Count} begun, {seen.Taken.Count} at the sink, {load.Acknowledged.Count(id => !IsRefused(id) && !seen.Taken.ContainsKey(id))} lost, {duplicates} twice, "
            + $"{lost} answers to the end of data lost, {refused.Count} refused and reported, {seen.Bundled} of them in {seen.Bundles} messages that hold several, {suppressed.Count} suppressed, {grants.Given} tokens");
        Assert.InRange(duplicates, 0, (Rounds * MostInFlight) + lost);
        await AssertLoggedAsync(home.Logs, load.Acknowledged, seen);
    }

    /// <summary>With reports of which two in an hour go by themselves.</summary>
    private static async Task<PosternHome> HomeAsync(int port, string tokenUrl)
    {
        var home = await ProcessTests.HomeAsync(more: $$"""
            rules: { recipient: [reject_suppressed_recipient, permit_networks, permit_authenticated, reject_unauth_destination] }
            delivery:
              retry: { first: 1s, most: 5s }
              reports: { per_address: 2, gather: 1s }
              suppression: { hard_bounces: true }
              routes:
                - to: "*"
                  via: "smtp://localhost:{{port}}?tls=required"
                  ca: ca.pem
                  login:
                    user: robot@example.org
                    mechanisms: [XOAUTH2]
                    oauth: { grant: refresh_token, token_url: "{{tokenUrl}}", client_id: app, refresh_token: refresh-0 }
            """);
        await File.WriteAllTextAsync(Path.Combine(home.Root, "ca.pem"), TestCertificate.Instance.ExportCertificatePem(), ProcessTests.Stop);
        return home;
    }

    private static SinkAction? Misbehaviour(SinkPhase phase, string line, Action lose)
    {
        switch (phase)
        {
            case SinkPhase.Rcpt when IsRefused(line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..].Split('@')[0]):
                return new SinkAction.Reply("550 5.1.1 No such user");
            case SinkPhase.Rcpt when Random.Shared.Next(100) == 0:
                return new SinkAction.Reply("451 4.3.0 Later");
            case SinkPhase.Data when Random.Shared.Next(LostEvery) == 0:
                return new SinkAction.Abort();
            case SinkPhase.EndOfData when Random.Shared.Next(LostEvery) == 0:
                lose();
                return new SinkAction.Abort();
            default:
                return null;
        }
    }

    /// <summary>
    /// Of every message that got 250 the log tells that it was accepted, and that it was delivered, or failed and reported: whatever a kill
    /// took out of it, and each as one thing. One that came to the sink twice may have been delivered twice in the log too: the server was
    /// killed when the log had it, and the spool not yet that its delivery was over.
    /// </summary>
    private static async Task AssertLoggedAsync(string logs, ICollection<string> acknowledged, Seen seen)
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
            var ends = ended.GetValueOrDefault(queueId) ?? [];
            Assert.True(ends.Count >= 1 && ends.Count <= (IsRefused(id) ? 1 : seen.Taken[id]), $"the log tells {ends.Count} ends of {id}: {string.Join(", ", ends)}");
            Assert.All(ends, end => Assert.StartsWith(IsRefused(id) ? "failed " : "delivered ", end, StringComparison.Ordinal));
            Assert.Equal(IsRefused(id) ? 1 : 0, reported.GetValueOrDefault(queueId)?.Count ?? 0);
        }

        static Dictionary<string, HashSet<string>> Set() => new(StringComparer.Ordinal);
    }

    private static bool IsRefused(string id) => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number % RefusedEvery == 0;

    /// <summary>What came to the sink.</summary>
    private sealed class Seen(SubmissionLoad load)
    {
        private int bundles;
        private int bundled;

        /// <summary>How often, by the id of the message.</summary>
        public ConcurrentDictionary<string, int> Taken { get; } = new(StringComparer.Ordinal);

        public ConcurrentQueue<string> Broken { get; } = new();

        /// <summary>The names of the reports on a message. A report may come twice, like any message; that there are two is told by their names.</summary>
        public ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> Reports { get; } = new(StringComparer.Ordinal);

        public int Bundles => bundles;

        public int Bundled => bundled;

        public void Take(SinkMessage message)
        {
            if (message.Sender.Length == 0)
            {
                TakeReport(message.Text);
                return;
            }

            var id = message.Recipients[0].Split('@')[0];
            Taken.AddOrUpdate(id, 1, static (_, copies) => copies + 1);
            if (!IsWhole(id, message))
                Broken.Enqueue(id);
        }

        private void TakeReport(string text)
        {
            var (name, told) = (string.Empty, 0);
            foreach (Match match in ReportPattern.Matches(text))
            {
                if (match.Groups[1] is { Success: true, Value: var found })
                {
                    name = found;
                    continue;
                }

                told++;
                Reports.GetOrAdd(match.Groups[2].Value, static _ => new(StringComparer.Ordinal))[name] = true;
            }

            if (told == 0)
                Broken.Enqueue(text[..Math.Min(text.Length, 400)]);
            if (told < 2)
                return;
            Interlocked.Increment(ref bundles);
            Interlocked.Add(ref bundled, told);
        }

        private bool IsWhole(string id, SinkMessage message)
        {
            var body = message.Content.AsSpan().IndexOf("\r\n\r\n"u8);
            return body > 0
                && message.IsTls
                && message.Recipients.Count == 1
                && message.Sender == PosternHome.User
                && message.Text.Contains($"\r\nSubject: {id}\r\n", StringComparison.Ordinal)
                && load.Sent[id] == SubmissionLoad.DigestOf(message.Content.AsSpan(body + 4));
        }
    }

    /// <summary>
    /// Gives a new refresh token with each access token. The one before counts until the new one is used: who forgets what he had written
    /// down is refused.
    /// </summary>
    private sealed class OneSuccessor
    {
        private readonly Lock gate = new();
        private int newest;
        private int oldest;

        public int Given { get; private set; }

        public ConcurrentQueue<string> Refused { get; } = new();

        public TokenReply Answer(IReadOnlyDictionary<string, string> form)
        {
            lock (gate)
            {
                var used = int.Parse(form["refresh_token"].Split('-')[1], CultureInfo.InvariantCulture);
                if (used < oldest)
                {
                    Refused.Enqueue($"refresh-{used}, when refresh-{oldest} had been used");
                    return TokenReply.Refused("invalid_grant", "used before");
                }

                oldest = used;
                Given++;
                return TokenReply.Granted($"token-{Given}", seconds: 2, refresh: $"refresh-{++newest}");
            }
        }
    }
}
