using System.Text.Json;
using Postern.Commands.Explain;
using Postern.Commands.Output;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Tests.Commands;

public sealed class ExplainAndLogTests
{
    [Fact]
    public async Task What_would_be_decided_is_decided_by_the_same_rules()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        string[] question = ["explain", "--client", "192.0.2.7", "--from", "lisa@example.org", "--to", "bart@example.net"];

        var stranger = await run.PosternAsync(question);
        var lisa = await run.PosternAsync([.. question, "--login", "LISA@example.org", "--tls"]);
        var json = await run.JsonAsync(question);

        Assert.Equal((ExitCode.No, ExitCode.Ok), (stranger.ExitCode, lisa.ExitCode));
        Assert.Contains("permit by permit_authenticated", lisa.Output, StringComparison.Ordinal);
        Assert.Contains("reply: 530 5.7.0", stranger.Output, StringComparison.Ordinal);
        Assert.NotEmpty(json.GetProperty("decisions")[0].GetProperty("chain").EnumerateArray());
    }

    [Theory]
    [InlineData(ExitCode.Usage, "explain")]
    [InlineData(ExitCode.Usage, "explain", "K7M3Q9", "--to", "a@example.org")]
    [InlineData(ExitCode.Usage, "explain", "--client", "192.0.2.7")]
    [InlineData(ExitCode.Usage, "explain", "not-a-reference")]
    [InlineData(ExitCode.Usage, "explain", "--client", "192.0.2.0/24", "--from", "a@example.org", "--to", "b@example.org")]
    [InlineData(ExitCode.Usage, "explain", "--client", "192.0.2.1", "--from", "nonsense", "--to", "b@example.org")]
    [InlineData(ExitCode.Usage, "explain", "--client", "192.0.2.1", "--from", "<>", "--to", "b@example.org", "--listener", "nowhere")]
    [InlineData(ExitCode.No, "explain", "K7M3Q9")]
    [InlineData(ExitCode.Usage, "log", "auth", "--client", "nowhere")]
    [InlineData(ExitCode.Usage, "log", "auth", "--since", "yesterday")]
    [InlineData(ExitCode.Usage, "log", "policy", "--ref", "!")]
    [InlineData(ExitCode.Usage, "log", "mail", "--limit", "0")]
    [InlineData(ExitCode.Usage, "log")]
    public async Task A_question_that_cannot_be_answered_says_why(int exitCode, params string[] args)
    {
        using var run = new CommandRun();

        var result = await run.PosternAsync(args);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal(2, result.Error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task A_recorded_decision_is_found_by_its_reference_in_any_case()
    {
        using var run = new CommandRun();
        await WriteAsync(run, Decision("K7M3Q9"));

        var explained = await run.PosternAsync("explain", "k7m3q9");

        Assert.Equal(ExitCode.Ok, explained.ExitCode);
        Assert.Contains("reject_unauth_destination", explained.Output, StringComparison.Ordinal);
        Assert.Contains("log in", explained.Output, StringComparison.Ordinal);
    }

    /// <summary>The reference of a refusal is enough: what would permit it is asked of the rules as they are now, and it does.</summary>
    [Fact]
    public async Task A_refusal_of_the_log_is_asked_again_and_ends_in_the_shortest_change()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        await WriteAsync(run, Decision("K7M3Q9") with { Origin = new("s1", "submission", "192.0.2.7") { User = "lisa@example.org", Tls = "TLSv1.3" } });

        var explained = await run.PosternAsync("explain", "K7M3Q9");
        const string Change = "postern account grant lisa@example.org --address a@example.org";

        Assert.Equal((ExitCode.Ok, string.Empty), (explained.ExitCode, explained.Error));
        Assert.Contains("asked again now: refuse by reject_sender_login_mismatch, under configuration ", explained.Output, StringComparison.Ordinal);
        Assert.EndsWith($"the shortest change that permits it: {Change}\n", explained.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync(Change.Split(' ')[1..])).ExitCode);
        var permitted = (await run.PosternAsync("explain", "K7M3Q9")).Output;
        Assert.Contains("asked again now: permit by permit_authenticated", permitted, StringComparison.Ordinal);
        Assert.DoesNotContain("shortest change", permitted, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_for_a_header_and_one_by_a_listener_that_is_gone_are_said_not_to_be_asked_again()
    {
        using var run = new CommandRun();
        await WriteAsync(run, Decision("K7M3Q9") with { Stage = "message", Recipient = null });
        await WriteAsync(run, Decision("AAAAAA") with { Origin = new("s1", "gone", "192.0.2.7") });
        Assert.Contains("the log does not keep the header", (await run.PosternAsync("explain", "K7M3Q9")).Output, StringComparison.Ordinal);
        Assert.Contains("asked again: there is no listener 'gone'", (await run.PosternAsync("explain", "AAAAAA")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_decision_is_a_tree_in_80_columns_with_lists_below_what_asked_them()
    {
        var decision = Decision("K7M3Q9") with
        {
            Chain =
            [
                new("reject_clients", "client 192.0.2.7 is in none of its networks", "pass", Remedy: null) { Stage = "client" },
                new("partners", "a list of rules", "ask", Remedy: null),
                new("permit_networks", "client 192.0.2.7 is in none of networks", "pass", "add 192.0.2.7/32 to networks in postern.yaml: it may then relay as anyone") { In = "partners" },
                new("reject_unauth_destination", "example.net is not a domain accepted here", "refuse", "postern domain add example.net --accept"),
            ],
        };
        var output = new StringWriter();
        DecisionTree.Of(decision).WriteTo(new Terminal(output, TextWriter.Null, TextReader.Null, isInteractive: true, canAsk: false, window: 80));
        var lines = output.ToString().TrimEnd().Split('\n');
        Assert.All(lines, static line => Assert.True(line.Length <= 80, line));
        Assert.Contains("├─ client, asked at MAIL", lines);
        Assert.Contains("   ├─ ask     partners: a list of rules", lines);
        Assert.Contains("   │  └─ pass    permit_networks: client 192.0.2.7 is in none of networks", lines);
        Assert.Contains("   └─ refuse  reject_unauth_destination (decides): example.net is not a domain", lines);
        Assert.EndsWith("└─ what would change it: postern domain add example.net --accept", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_narrowed_by_what_is_asked()
    {
        using var run = new CommandRun();
        await WriteAsync(
            run,
            Login("lisa@example.org", "192.0.2.7", age: TimeSpan.FromHours(3)),
            Login("bart@example.org", "192.0.2.8"),
            Login("\u001b[31mlisa", "198.51.100.1"),
            Decision("AAAAAA"));

        Assert.Equal(3, (await run.JsonAsync("log", "auth")).GetArrayLength());
        Assert.Equal(2, (await run.JsonAsync("log", "auth", "--since", "1h")).GetArrayLength());
        Assert.Equal(2, (await run.JsonAsync("log", "auth", "--client", "192.0.2.0/24")).GetArrayLength());
        Assert.Equal("192.0.2.7", (await run.JsonAsync("log", "auth", "--login", "lisa@example.org"))[0].GetProperty("client").GetString());
        Assert.Equal(1, (await run.JsonAsync("log", "policy", "--ref", "AAAAAA")).GetArrayLength());
        Assert.DoesNotContain('\u001b', (await run.PosternAsync("log", "auth")).Output);
        Assert.Equal("nothing found\n", (await run.PosternAsync("log", "mail")).Output);
    }

    [Fact]
    public async Task Yesterdays_mail_is_found_by_what_its_sender_remembers_of_it()
    {
        using var run = new CommandRun();
        var now = TimeProvider.System.GetUtcNow();
        await WriteAsync(
            run,
            new AcceptedEvent(now.AddHours(-30), new("s", "in", "192.0.2.7") { User = "lisa@example.org" }, "01JD0K3ZQ8Y6X5V4T3S2R1P0NM", "lisa@example.org", ["bart@example.net"], 4096) { MessageId = "<m1@example.org>", HeaderFrom = "Lisa <lisa@example.org>" },
            new DeliveryEvent(now.AddHours(-29), "01JD0K3ZQ8Y6X5V4T3S2R1P0NM", "bart@example.net", DeliveryOutcome.Delivered, 1, "250 ok") { Remote = "mx.example.net" },
            new AcceptedEvent(now, new("s", "in", "192.0.2.8"), "01JD0K3ZQ8Y6X5V4T3S2R1P0NN", "app@example.com", ["ned@example.com"], 100));

        foreach (var filter in new string[][] { ["--from", "LISA@example.org"], ["--to", "bart@example.net"], ["--domain", "example.net"], ["--message-id", "m1@example.org"], ["--login", "lisa@example.org"], ["--client", "192.0.2.7"], ["--until", "1d"] })
            Assert.Equal((filter[0], 2), (filter[0], (await run.JsonAsync(["log", "mail", .. filter])).GetArrayLength()));
        Assert.Equal(1, (await run.JsonAsync("log", "mail", "--from", "lisa@example.org", "--outcome", "delivered")).GetArrayLength());
        Assert.Equal(0, (await run.JsonAsync("log", "mail", "--since", "2d", "--until", "31h")).GetArrayLength());
        var text = (await run.PosternAsync("log", "mail", "--from", "lisa@example.org")).Output;
        Assert.Contains("4096 octets for bart@example.net, Message-ID <m1@example.org>, From Lisa <lisa@example.org>", text, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("log", "mail", "--outcome", "lost")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("log", "server", "--from", "a@example.org")).ExitCode);
    }

    [Fact]
    public async Task Every_change_of_the_directory_is_in_the_log_without_its_secret()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");
        var secret = (await run.JsonAsync("credential", "add", "app", "--generate")).GetProperty("secret").GetString()!;

        var log = await run.PosternAsync("log", "admin", "--json");

        Assert.Equal(["account add", "credential add"], JsonDocument.Parse(log.Output).RootElement.EnumerateArray().Select(static e => e.GetProperty("action").GetString()));
        Assert.DoesNotContain(secret, log.Output, StringComparison.Ordinal);
    }

    private static async Task WriteAsync(CommandRun run, params AuditEvent[] events)
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path.Combine(run.Data, "logs") }, TimeProvider.System);
        foreach (var audit in events)
            log.Append(audit);
        await log.FlushAsync(TestContext.Current.CancellationToken);
    }

    private static LoginEvent Login(string user, string client, TimeSpan age = default) =>
        new(TimeProvider.System.GetUtcNow() - age, new("s1", "submission", client) { User = user, Tls = "TLSv1.3" }, "PLAIN", AuthOutcome.Failed, "wrong password");

    private static DecisionEvent Decision(string reference) => new(
        TimeProvider.System.GetUtcNow(),
        new("s1", "submission", "192.0.2.7") { Helo = "client.example" },
        reference,
        "recipient",
        DecisionOutcome.Refuse,
        "reject_unauth_destination",
        "a@example.org",
        "b@example.net")
    {
        Reply = "550 5.7.1 Relay access denied",
        Chain = [new("reject_unauth_destination", "example.net", "refuse", "log in")],
    };

    [Fact]
    public async Task A_refusal_that_is_asked_in_advance_ends_in_the_shortest_change_and_that_change_permits_it()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        string[] question = ["explain", "--client", "192.0.2.7", "--login", "lisa@example.org", "--from", "sales@example.com", "--to", "bart@example.net"];

        var refused = await run.PosternAsync(question);
        const string Change = "postern account grant lisa@example.org --address sales@example.com";

        Assert.Equal(ExitCode.No, refused.ExitCode);
        Assert.EndsWith($"the shortest change that permits it: {Change}", refused.Output.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(Change, Assert.Single((await run.JsonAsync(question)).GetProperty("change").EnumerateArray()).GetString());
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync(Change.Split(' ')[1..])).ExitCode);
        var permitted = await run.PosternAsync(question);
        Assert.Equal(ExitCode.Ok, permitted.ExitCode);
        Assert.DoesNotContain("shortest change", permitted.Output, StringComparison.Ordinal);
    }
}
