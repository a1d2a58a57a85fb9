using System.Net;
using Postern.Commands.Output;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Session;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

public sealed class SessionCommandTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("all", "a1 b2 c3")]
    [InlineData("of a login", "b2 c3", "--login", "LISA@example.org")]
    [InlineData("on behalf of", "c3", "--login", "shop@example.org")]
    [InlineData("from an address", "a1", "--client", "192.0.2.7")]
    [InlineData("from a network", "a1 b2", "--client", "192.0.2.0/24")]
    [InlineData("both", "b2", "--client", "192.0.2.0/24", "--login", "lisa@example.org")]
    [InlineData("none", "", "--login", "nobody")]
    public async Task A_filter_meets_what_fits_all_of_it(string what, string expected, params string[] filter)
    {
        using var run = new CommandRun();
        await using var server = await StartAsync(run);

        var sessions = await run.JsonAsync(["session", "list", .. filter]);

        Assert.Equal((what, expected), (what, string.Join(' ', sessions.EnumerateArray().Select(static s => s.GetProperty("id").GetString()))));
    }

    [Fact]
    public async Task Row_179_sessions_are_listed_for_people_and_ended_by_name()
    {
        using var run = new CommandRun();
        await using var server = await StartAsync(run);

        Assert.Contains("shop@example.org, proven by lisa@example.org", (await run.PosternAsync("session", "list")).Output, StringComparison.Ordinal);
        var ended = await run.PosternAsync("session", "end", "--login", "lisa@example.org");
        Assert.Equal((ExitCode.Ok, "2 sessions ended\n"), (ended.ExitCode, ended.Output));
        Assert.Equal(["b2: lisa@example.org", "c3: shop@example.org"], server.Events.All.Cast<AdminEvent>().Select(static e => e.Target).Order(StringComparer.Ordinal));
        Assert.Equal((ExitCode.No, "0 sessions ended\n"), await EndAsync("b2"));
        Assert.Equal((ExitCode.Ok, "1 session ended\n"), await EndAsync("a1"));
        Assert.Equal(ExitCode.Usage, (await EndAsync()).ExitCode);
        Assert.Equal(ExitCode.Usage, (await EndAsync("--all", "a1")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await EndAsync("--unknown")).ExitCode);

        async Task<(int ExitCode, string Output)> EndAsync(params string[] what)
        {
            var result = await run.PosternAsync(["session", "end", .. what]);
            return (result.ExitCode, result.Output);
        }
    }

    [Fact]
    public async Task Row_179_whoever_takes_something_away_is_told_how_many_sessions_ended()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        Assert.Equal("account lisa@example.org disabled\n", (await run.PosternAsync("account", "disable", "lisa@example.org")).Output);
        await run.PosternAsync("account", "enable", "lisa@example.org");
        await run.PosternAsync("credential", "add", "lisa@example.org");
        await run.PosternAsync("account", "grant", "lisa@example.org", "--act-as", "shop@example.org");

        await using var server = await StartAsync(run);
        server.Sessions.Gone = 2;
        Assert.EndsWith("; 2 open sessions ended\n", (await run.PosternAsync("account", "revoke", "lisa@example.org", "--act-as", "shop@example.org")).Output, StringComparison.Ordinal);
        server.Sessions.Gone = 1;
        Assert.EndsWith("; 1 open session ended\n", (await run.PosternAsync("credential", "revoke", "lisa@example.org")).Output, StringComparison.Ordinal);
        server.Sessions.Gone = 0;
        Assert.EndsWith("; no open session rested on it\n", (await run.PosternAsync("account", "disable", "lisa@example.org")).Output, StringComparison.Ordinal);
        server.Sessions.Gone = 3;
        Assert.Equal(3, (await run.JsonAsync("account", "remove", "lisa@example.org")).GetProperty("sessionsEnded").GetInt32());
        Assert.Equal(4, server.Sessions.Reviews);
        await run.PosternAsync("account", "remove", "lisa@example.org"); // it is not there any more
        Assert.Equal(4, server.Sessions.Reviews);
    }

    [Fact]
    public async Task Without_a_server_there_are_no_sessions()
    {
        using var run = new CommandRun();
        var list = await run.PosternAsync("session", "list");
        Assert.Equal(ExitCode.No, list.ExitCode);
        Assert.Contains("no server is running", list.Error, StringComparison.Ordinal);
    }

    private static async Task<RunningServer> StartAsync(CommandRun run)
    {
        var server = await RunningServer.StartAsync(run.Data);
        server.Sessions.Open.Add(Session("c3", "198.51.100.1", 2, "shop@example.org", "lisa@example.org"));
        server.Sessions.Open.Add(Session("b2", "192.0.2.8", 1, "lisa@example.org", "lisa@example.org"));
        server.Sessions.Open.Add(Session("a1", "192.0.2.7", 0, login: null, provenBy: null));
        return server;
    }

    private static OpenSession Session(string id, string client, int minutes, string? login, string? provenBy) =>
        new(id, "submission", IPAddress.Parse(client), 40000, Noon.AddMinutes(minutes), login, provenBy, login is null ? null : "PLAIN")
        {
            Tls = "TLSv1.3",
            Phase = Phase.Ready,
        };
}
