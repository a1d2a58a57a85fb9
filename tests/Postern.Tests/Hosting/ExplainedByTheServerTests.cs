using Postern.Commands.Output;
using Postern.Relay.Accounts;
using Postern.Relay.Policy.Counters;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary><c>explain</c> beside a running server: that decides, by what it runs by and has counted; the file does where none runs.</summary>
public sealed class ExplainedByTheServerTests : IAsyncDisposable
{
    private static readonly string[] Question = ["explain", "--client", "192.0.2.7", "--login", LiveServer.User, "--tls", "--from", LiveServer.User, "--to", "bart@example.net"];

    private readonly LiveServer server = new();

    private CommandRun Run => server.Run;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task What_was_counted_is_the_servers_and_without_it_is_said_to_be_unknown()
    {
        const string Limited = LiveServer.Listeners + "rules: { message: [{ reject_over_limit: { messages: 2/1h } }] }\n";
        await server.WriteAsync(Limited);
        await Run.PosternAsync("account", "add", LiveServer.User);
        var alone = await Run.PosternAsync(Question);
        Assert.Equal(ExitCode.Ok, alone.ExitCode);
        Assert.Contains("how many were used is unknown", alone.Output, StringComparison.Ordinal);
        Assert.Contains($"of the file ({Run.ConfigFile}) and not of a server: no server is running on {Run.Data}, so what was counted is unknown", alone.Output, StringComparison.Ordinal);
        Assert.False((await Run.JsonAsync(Question)).GetProperty("configuration").GetProperty("isServers").GetBoolean());

        await server.StartAsync(Limited);
        for (var i = 0; i < 5; i++)
            Assert.Contains("0 of 2/1h messages used by lisa@example.org", (await Run.PosternAsync(Question)).Output, StringComparison.Ordinal);
        await server.Host.Relay.Counters.TakeAsync(new CounterKey("login_messages", LiveServer.User), new RateLimit(2, TimeSpan.FromHours(1)), cost: 2, TestContext.Current.CancellationToken);

        var over = await Run.PosternAsync(Question);

        Assert.Equal(ExitCode.No, over.ExitCode);
        Assert.Contains("reply: 450 4.7.1 <lisa@example.org>: Sender address rejected: over the limit of 2/1h messages", over.Output, StringComparison.Ordinal);
        Assert.Contains("2 of 2/1h messages used by lisa@example.org", over.Output, StringComparison.Ordinal);
        Assert.Contains($"configuration: {server.Host.Relay.Snapshot.Id}, of the running server ({Run.ConfigFile})\n", over.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_has_changed_decides_nothing_before_the_server_goes_by_it_and_that_is_said()
    {
        await server.StartAsync();
        var before = server.Host.Relay.Snapshot.Id;
        Assert.DoesNotContain("not the file", (await Run.PosternAsync(Question)).Output, StringComparison.Ordinal);
        const string Stricter = LiveServer.Listeners + "rules: { recipient: [reject_unauth_destination] }\n";
        await server.WriteAsync(Stricter);

        var changed = await Run.PosternAsync(Question);

        Assert.Equal(ExitCode.Ok, changed.ExitCode);
        Assert.Contains($"configuration: {before}, of the running server", changed.Output, StringComparison.Ordinal);
        await server.ReloadAsync(Stricter);
        Assert.Contains($"not the file: {Run.ConfigFile} has changed since, and would be {server.Host.Relay.Snapshot.Id}: postern reload", changed.Output, StringComparison.Ordinal);
        var reloaded = await Run.PosternAsync(Question);
        Assert.Equal(ExitCode.No, reloaded.ExitCode);
        Assert.DoesNotContain("not the file", reloaded.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_mistakes_keeps_nobody_from_asking_the_server()
    {
        await server.StartAsync();
        await server.WriteAsync(LiveServer.Listeners + "limits: { idel: 5m }\n");

        var asked = await Run.PosternAsync(Question);

        Assert.Equal((ExitCode.Ok, string.Empty), (asked.ExitCode, asked.Error));
        Assert.Contains($"not the file: the file has changed since, and cannot be taken: {Run.ConfigFile}:3:11: limits.idel", asked.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_file_for_the_same_data_is_not_what_the_server_runs_by()
    {
        await server.StartAsync();
        var other = Path.Combine(Run.Root, "other.yaml");
        File.Copy(Run.ConfigFile, other);

        var asked = await CommandRun.ExecuteAsync([.. Question, "--config", other]);

        Assert.Equal(ExitCode.Ok, asked.ExitCode);
        Assert.Contains($"not the file: the server runs by {Run.ConfigFile}, and not by {other}", asked.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "'nonsense' is not a mail address", "--from", "nonsense", "--to", "b@example.org")]
    [InlineData(ExitCode.Usage, "'b@@' is not a mail address", "--from", "<>", "--to", "b@@")]
    [InlineData(ExitCode.Usage, "there is no listener 'nowhere'", "--from", "<>", "--to", "b@example.org", "--listener", "nowhere")]
    [InlineData(ExitCode.No, "530 5.7.0: listener strict takes no mail before STARTTLS", "--from", "<>", "--to", "b@example.org", "--listener", "strict")]
    [InlineData(ExitCode.No, "554 5.7.1: listener near takes no connection from 192.0.2.1", "--from", "<>", "--to", "b@example.org", "--listener", "near")]
    public async Task A_question_without_a_decision_is_told_so_alike_by_the_server_and_by_the_file(int exitCode, string says, params string[] rest)
    {
        const string Several = """
            listeners:
              - { name: devices, listen: ['127.0.0.1:0'], tls: none }
              - { name: strict, listen: ['127.0.0.1:0'], tls: required }
              - { name: near, listen: ['127.0.0.1:0'], tls: none, clients: [198.51.100.0/24] }

            """;
        string[] question = ["explain", "--client", "192.0.2.1", .. rest];
        await server.WriteAsync(Several);
        var byFile = await Run.PosternAsync(question);

        await server.StartAsync(Several);
        var byServer = await Run.PosternAsync(question);

        Assert.Equal(exitCode, byFile.ExitCode);
        Assert.StartsWith($"postern: {says}", byFile.Error, StringComparison.Ordinal);
        Assert.Equal((byFile.ExitCode, byFile.Output, byFile.Error), (byServer.ExitCode, byServer.Output, byServer.Error));
    }

    [Fact]
    public async Task Where_a_recipient_would_go_and_which_routes_are_not_for_it_is_told_too()
    {
        const string Routes = """
            delivery:
              routes:
                - { to: example.net, from: "@sales.example.org", via: "smtp://sales.example.com" }
                - { to: "*", login_is: [robot], via: "smtp://bulk.example.com" }
                - { to: "*", via: ["smtp://one.example.com", "smtp://two.example.com:2525"] }

            """;
        await server.StartAsync(LiveServer.Listeners + Routes);

        var text = (await Run.PosternAsync(Question)).Output;
        var route = (await Run.JsonAsync(Question)).GetProperty("route");

        Assert.Contains("not by route example.net from @sales.example.org: it is for other senders\nnot by route * login robot: it is for other logins\n", text, StringComparison.Ordinal);
        Assert.Contains("it goes to one.example.com:25, two.example.com:2525, by route *\n", text, StringComparison.Ordinal);
        Assert.Equal(("*", "one.example.com:25, two.example.com:2525", 2), (route.GetProperty("route").GetString(), route.GetProperty("hop").GetString(), route.GetProperty("passedOver").GetArrayLength()));
        var refused = (await Run.PosternAsync("explain", "--client", "192.0.2.7", "--from", "x@sales.example.org", "--to", "bart@example.net")).Output;
        Assert.Contains("permitted, it would go to sales.example.com:25, by route example.net from @sales.example.org\n", refused, StringComparison.Ordinal);

        await server.ReloadAsync(LiveServer.Listeners + "delivery: { routes: [{ to: example.org, via: 'smtp://a.example.com' }] }\n");
        Assert.Contains("it goes to the mail exchangers of example.net, as no route is for it\n", (await Run.PosternAsync(Question)).Output, StringComparison.Ordinal);
        await server.ReloadAsync(LiveServer.Listeners);
        Assert.Contains("it goes nowhere: there is no route, so messages are held\n", (await Run.PosternAsync(Question)).Output, StringComparison.Ordinal);
    }
}
