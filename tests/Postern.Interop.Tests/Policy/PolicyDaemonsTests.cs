using System.Net;
using System.Text.RegularExpressions;
using Postern.Interop.Tests.Server;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Policy;

/// <summary>Debian's policy programs for Postfix decide about mail to Postern: postgrey has it come again, policyd-spf writes a field.</summary>
public sealed partial class PolicyDaemonsTests(PolicyDaemonsTests.Server server) : IClassFixture<PolicyDaemonsTests.Server>
{
    private const string Client = "203.0.113.9";

    /// <summary>Between two tries, as a client that comes again waits: postgrey goes by the clock of this machine.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(250);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mail_is_greylisted_comes_again_and_has_the_fields_of_both()
    {
        server.Require();
        await using (var first = await ClientAsync())
            await first.SayAsync("RCPT TO:<b@example.org>", "450 4.2.0 Greylisted, come again in 1 s (ref ");
        Assert.Contains("DEFER_IF_PERMIT 4.2.0 Greylisted, come again in 1 s", await server.DecisionAsync("\"outcome\":\"refuse\"", "b@example.org"), StringComparison.Ordinal);

        var id = string.Empty;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var clock = new PeriodicTimer(Again);
        while (id.Length == 0 && await clock.WaitForNextTickAsync(patience.Token))
        {
            await using var later = await ClientAsync();
            if (!(await later.AskAsync("RCPT TO:<b@example.org>")).StartsWith("250", StringComparison.Ordinal))
                continue;
            await later.SayAsync("DATA", "354");
            id = QueuedAs().Match(await later.AskAsync("Subject: x\r\n\r\nbody\r\n.")).Groups[1].Value;
        }

        var shown = await server.PosternAsync("queue", "show", id, "--content");
        Assert.Contains("X-Greylist: delayed ", shown, StringComparison.Ordinal);
        Assert.Contains($"X-Comment: SPF check N/A for local connections - client-ip={Client}; helo=client.example; envelope-from=a@foreign.test", shown, StringComparison.Ordinal);
    }

    /// <summary>A relay that is refused anyway is not told to come again.</summary>
    [Fact]
    public async Task What_a_later_rule_refuses_is_refused_for_good()
    {
        server.Require();
        await using var client = await ClientAsync();
        await client.SayAsync("RCPT TO:<b@elsewhere.test>", "550 5.7.1 <b@elsewhere.test>: Relay access denied");
    }

    [GeneratedRegex(@"^250 2\.0\.0 Queued as (\S+)", RegexOptions.NonBacktracking)]
    private static partial Regex QueuedAs();

    private async Task<SmtpDialogue> ClientAsync()
    {
        var client = await SmtpDialogue.GreetAsync(new IPEndPoint(IPAddress.Loopback, server.Port("mx")));
        await client.SayAsync($"XCLIENT ADDR={Client} NAME=[UNAVAILABLE]", "220");
        await client.SayAsync("EHLO client.example", "250");
        await client.SayAsync("MAIL FROM:<a@foreign.test>", "250");
        return client;
    }

    public sealed class Server : ServedHome
    {
        private RunningProgram? postgrey;
        private SpawnedPolicy? spf;

        public void Require()
        {
            Peer.Require("postgrey");
            Peer.Require("policyd-spf");
        }

        public Task<string> DecisionAsync(params string[] texts) => EventAsync(["\"event\":\"decision\"", .. texts]);

        public async Task<string> PosternAsync(params string[] args)
        {
            var run = await Home!.RunAsync(args);
            run.AssertSucceeded();
            return run.Output;
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            if (postgrey is not null)
                await postgrey.DisposeAsync();
            if (spf is not null)
                await spf.DisposeAsync();
            GC.SuppressFinalize(this);
        }

        protected override async Task<PosternProcess> StartAsync()
        {
            var greylisting = "inet:127.0.0.1:9";
            var sender = "inet:127.0.0.1:9";
            if (Peer.Find("postgrey") is { } program && Peer.Find("policyd-spf") is { } checker)
            {
                var database = Directory.CreateSubdirectory("postgrey").FullName;
                var user = Environment.IsPrivilegedProcess ? "root" : Environment.UserName;
                (postgrey, var port) = await ListeningProgram.StartAsync(at => Task.FromResult<string[]>(
                    [program, $"--inet=127.0.0.1:{at}", $"--dbdir={database}", "--delay=1", $"--user={user}", $"--group={user}", "--greylist-text=Greylisted, come again in %s s"]));
                var settings = Path.Combine(Directory.FullName, "policyd-spf.conf");
                await File.WriteAllTextAsync(settings, "debugLevel = 0\nskip_addresses = 127.0.0.0/8,203.0.113.0/24\n", Ct);
                spf = new SpawnedPolicy(checker, settings);
                (greylisting, sender) = ($"inet:127.0.0.1:{port}", $"inet:127.0.0.1:{spf.Port}");
            }

            Home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), $$"""
                server: { hostname: mail.example.org, data: data }
                listeners:
                  - { name: mx, listen: ["127.0.0.1:0"], tls: none, auth: off, xclient_from: [127.0.0.1/32] }
                rules:
                  sender: []
                  recipient:
                    - check_policy_service: { at: "{{greylisting}}", timeout: 20s, ok: pass }
                    - check_policy_service: { at: "{{sender}}", timeout: 20s, ok: pass }
                    - reject_unauth_destination
                  patience: 30s
                """);
            await PosternAsync("domain", "add", "example.org", "--accept");
            return await Home.ServeAsync();
        }
    }
}
