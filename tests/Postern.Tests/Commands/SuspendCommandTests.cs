using Postern.Commands.Output;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

/// <summary><c>postern suspend</c> and <c>resume</c>, and what clients are told, of a whole server.</summary>
public sealed class SuspendCommandTests : IAsyncDisposable
{
    private readonly LiveServer server = new();

    private CommandRun Run => server.Run;

    private string FileOf => Path.Combine(Run.Root, "data", "suspended-senders");

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task An_account_is_suspended_in_the_middle_of_its_session_is_told_why_and_is_resumed_by_what_explain_says()
    {
        await server.StartAsync();
        await using var client = await server.ConnectAsync();
        await client.SayAsync("EHLO client.example", "250");
        await client.LogInAsync(LiveServer.User, LiveServer.Password);
        await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        await client.SayAsync("RCPT TO:<bart@example.net>", "250");

        var done = await Run.PosternAsync("suspend", "account", "LISA@example.org", "--reason", "password stolen", "--for", "7d");

        Assert.Equal((ExitCode.Ok, string.Empty), (done.ExitCode, done.Error));
        Assert.Matches("^account lisa@example.org: suspended until .*; to end it: postern resume account lisa@example.org\n$", done.Output);
        await client.SayAsync("RCPT TO:<milhouse@example.net>", "550");
        await client.SayAsync("RSET", "250");
        var refused = await client.AskAsync($"MAIL FROM:<{LiveServer.User}>");
        Assert.Matches("^550 5.7.1 <lisa@example.org>: Sender address rejected: this account is suspended until [-0-9]+ [0-9:]+ UTC: password stolen \\(ref [0-9A-Z]{6}\\)", refused);

        // A new login is no other: it is told at MAIL, where clients show what they are told.
        await using var again = await server.ConnectAsync();
        await again.SayAsync("EHLO client.example", "250");
        await again.LogInAsync(LiveServer.User, LiveServer.Password);
        await again.SayAsync($"MAIL FROM:<{LiveServer.User}>", "550");

        await server.FlushLogAsync();
        var why = (await Run.PosternAsync("explain", refused.Split("(ref ")[1][..6])).Output;
        Assert.Contains("refuse by suspended", why, StringComparison.Ordinal);
        Assert.Contains("the account lisa@example.org is suspended until", why, StringComparison.Ordinal);
        Assert.Contains("postern resume account lisa@example.org", why, StringComparison.Ordinal);
        var list = (await Run.PosternAsync("suspend", "list")).Output;
        Assert.Matches("account lisa@example.org +[-0-9]+ [0-9:]+Z .*password stolen", list);

        Assert.Equal("account lisa@example.org: sends again\n", (await Run.PosternAsync("resume", "account", LiveServer.User)).Output);
        await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        Assert.Equal(ExitCode.No, (await Run.PosternAsync("resume", "account", LiveServer.User)).ExitCode);
        await server.FlushLogAsync();
        var log = (await Run.JsonAsync("log", "admin")).EnumerateArray().Select(static e => e.GetProperty("action").GetString()).ToList();
        Assert.Contains("suspend", log);
        Assert.Contains("resume", log);
    }

    [Fact]
    public async Task A_suspension_ends_by_itself_and_says_so()
    {
        await server.StartAsync();
        await using var client = await server.ConnectAsync();
        await client.SayAsync("EHLO client.example", "250");
        await client.LogInAsync(LiveServer.User, LiveServer.Password);
        await Run.PosternAsync("suspend", "account", LiveServer.User, "--reason", "wait a moment", "--for", "1m");
        await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", "550");

        await server.UntilAsync(() => server.Host.Relay.Suspended.All.IsEmpty && new FileInfo(FileOf).Length == 0);

        await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        await server.FlushLogAsync();
        Assert.Contains("suspension_ended", (await Run.PosternAsync("log", "server")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_secret_is_suspended_and_the_other_goes_on()
    {
        await server.StartAsync();
        await Run.WithInputAsync("another horse", "credential", "add", LiveServer.User, "--password-stdin");
        var ids = (await Run.JsonAsync("credential", "list", LiveServer.User)).ToString();
        Assert.Contains("\"id\": 2", ids, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync("suspend", "credential", $"{LiveServer.User}#2", "--reason", "printer runs wild", "--for", "2h")).ExitCode);
        foreach (var (password, code) in new[] { ("another horse", "550"), (LiveServer.Password, "250") })
        {
            await using var client = await server.ConnectAsync();
            await client.SayAsync("EHLO client.example", "250");
            await client.LogInAsync(LiveServer.User, password);
            await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", code);
        }
    }

    [Theory]
    [InlineData(ExitCode.Usage, "'soon' is no duration", "suspend", "account", "lisa@example.org", "--reason", "x", "--for", "soon")]
    [InlineData(ExitCode.Usage, "a reason has 1 to 100 printable characters", "suspend", "account", "lisa@example.org", "--reason", "", "--for", "1h")]
    [InlineData(ExitCode.No, "'lisa@example.org' is no name of a credential: write ACCOUNT#NUMBER", "suspend", "credential", "lisa@example.org", "--reason", "x", "--for", "1h")]
    [InlineData(ExitCode.No, "the tenant acme is not suspended", "resume", "tenant", "acme")]
    public async Task What_cannot_be_done_is_said(int code, string expected, params string[] words)
    {
        await server.StartAsync();
        var run = await Run.PosternAsync(words);
        Assert.Equal(code, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Contains("if that is not what it is called", (await Run.PosternAsync("suspend", "account", "liza@example.org", "--reason", "x", "--for", "1h")).Output, StringComparison.Ordinal);
    }
}
