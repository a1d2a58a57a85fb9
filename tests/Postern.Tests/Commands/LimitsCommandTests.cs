using Postern.Commands.Output;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

/// <summary><c>postern limits</c> and what clients are told, of a whole server.</summary>
public sealed class LimitsCommandTests : IAsyncDisposable
{
    private const string Limited = LiveServer.Listeners + "limits: { logins: { messages: 2/1h, recipients: [5/1h, 100/1d] }, addresses: { recipients: 50/1h } }\n";

    private readonly LiveServer server = new();

    private CommandRun Run => server.Run;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Without_a_server_that_is_said()
    {
        var alone = await Run.PosternAsync("limits");
        Assert.Equal(ExitCode.No, alone.ExitCode);
        Assert.Contains("no server is running", alone.Error, StringComparison.Ordinal);
    }

    /// <summary>As a client and a tired administrator live through it.</summary>
    [Fact]
    public async Task A_client_is_told_when_to_come_again_and_an_operator_sees_it_raises_it_and_takes_it_back()
    {
        await server.StartAsync(Limited);
        Assert.Contains("nothing is used of any limit", (await Run.PosternAsync("limits")).Output, StringComparison.Ordinal);
        await using var client = await server.ConnectAsync();
        await client.SayAsync("EHLO client.example", "250");
        await client.LogInAsync(LiveServer.User, LiveServer.Password);
        for (var i = 0; i < 2; i++)
            Assert.StartsWith("250", await client.SendAsync(LiveServer.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);

        var refused = await client.AskAsync($"MAIL FROM:<{LiveServer.User}>");

        Assert.Matches("^450 4.7.1 <lisa@example.org>: Sender address rejected: over the limit of 2/1h messages of this login, try again in 6[01] min \\(ref [0-9A-Z]{6}\\)", refused);
        await server.FlushLogAsync();
        var why = await Run.PosternAsync("explain", refused.Split("(ref ")[1][..6]);
        Assert.Contains("2 of 2/1h messages used by lisa@example.org (limits.logins.messages), free again in 6", why.Output, StringComparison.Ordinal);
        Assert.Contains("postern limits raise lisa@example.org messages 4/1h --for 2h", why.Output, StringComparison.Ordinal);

        var table = (await Run.PosternAsync("limits")).Output;
        Assert.Equal(
            [
                "whose             what                  used  limit   state",
                "lisa@example.org  logins.messages       2     2/1h    over, free in 61 min",
                "lisa@example.org  logins.recipients     2     5/1h    -",
                "127.0.0.1         addresses.recipients  2     50/1h   -",
                "lisa@example.org  logins.recipients     2     100/1d  -",
            ],
            table.TrimEnd().Split('\n'));
        Assert.All(table.Split('\n'), static line => Assert.True(line.Length <= 80, line));
        var first = (await Run.JsonAsync("limits", LiveServer.User))[0];
        Assert.Equal(
            ("logins", "messages", 2, 2, 3600, "Over"),
            (first.GetProperty("of").GetString(), first.GetProperty("what").GetString(), first.GetProperty("used").GetInt32(), first.GetProperty("most").GetInt32(), first.GetProperty("window").GetInt32(), first.GetProperty("state").GetString()));
        Assert.Contains("1 used up, 0 nearly: postern limits", (await Run.PosternAsync("status")).Output, StringComparison.Ordinal);

        var raised = await Run.PosternAsync("limits", "raise", LiveServer.User, "messages", "3/1h", "--for", "2h");
        Assert.Equal((ExitCode.Ok, string.Empty), (raised.ExitCode, raised.Error));
        Assert.Contains("logins lisa@example.org: messages 3/1h until ", raised.Output, StringComparison.Ordinal);
        Assert.StartsWith("250", await client.SendAsync(LiveServer.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("450", await client.AskAsync($"MAIL FROM:<{LiveServer.User}>"), StringComparison.Ordinal);
        Assert.Contains("raised until", (await Run.PosternAsync("limits", "LISA@example.org")).Output, StringComparison.Ordinal);

        var undone = await Run.PosternAsync("limits", "undo", LiveServer.User);
        Assert.Equal("logins lisa@example.org: messages as configured again\n", undone.Output);
        Assert.Equal(ExitCode.No, (await Run.PosternAsync("limits", "undo", LiveServer.User)).ExitCode);
        await server.FlushLogAsync();
        var log = (await Run.PosternAsync("log", "admin")).Output;
        Assert.Contains("limits raise", log, StringComparison.Ordinal);
        Assert.Contains("limits undo", log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "'mesages' is not limited anywhere; did you mean 'messages'?", "raise", "lisa@example.org", "mesages", "3/1h", "--for", "2h")]
    [InlineData(ExitCode.Usage, "'3' is no limit of messages", "raise", "lisa@example.org", "messages", "3", "--for", "2h")]
    [InlineData(ExitCode.Usage, "'soon' is no duration", "raise", "lisa@example.org", "messages", "3/1h", "--for", "soon")]
    [InlineData(ExitCode.No, "has no limit of recipients within 2h: 5/1h, 100/1d", "raise", "lisa@example.org", "recipients", "9/2h", "--for", "2h")]
    [InlineData(ExitCode.No, "'lisa@example.org' has no such limit", "raise", "lisa@example.org", "bytes", "9GB/1d", "--for", "2h")]
    [InlineData(ExitCode.No, "nobody called 'example.org' has limits in senders", "raise", "example.org", "messages", "9/1h", "--for", "2h", "--of", "senders")]
    [InlineData(ExitCode.No, "'10.0.0.0/8' has no limits", "10.0.0.0/8")]
    public async Task What_cannot_be_done_is_said_with_what_can(int code, string expected, params string[] words)
    {
        await server.StartAsync(Limited);
        var run = await Run.PosternAsync(["limits", .. words]);
        Assert.Equal(code, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    /// <summary>Counts and what was raised are the server's, and outlive it; a reload changes the limits and not what was used.</summary>
    [Fact]
    public async Task A_reload_changes_the_limit_and_keeps_what_was_used()
    {
        await server.StartAsync(Limited);
        await using var client = await server.ConnectAsync();
        await client.SayAsync("EHLO client.example", "250");
        await client.LogInAsync(LiveServer.User, LiveServer.Password);
        for (var i = 0; i < 2; i++)
            await client.SendAsync(LiveServer.User, "bart@example.net", "Subject: x\r\n\r\nx\r\n");

        await server.ReloadAsync(Limited.Replace("messages: 2/1h", "messages: 3/1h", StringComparison.Ordinal));

        Assert.Contains("logins.messages       2     3/1h", (await Run.PosternAsync("limits")).Output, StringComparison.Ordinal);
    }

    /// <summary>Once when it is near and once when it is over, however often that happens, and never another user.</summary>
    [Fact]
    public async Task A_user_is_told_by_mail_where_that_is_wished()
    {
        await server.StartAsync(LiveServer.Listeners + "limits: { logins: { recipients: 5/1h, notify: true } }\n");
        await using var client = await server.ConnectAsync();
        await client.SayAsync("EHLO client.example", "250");
        await client.LogInAsync(LiveServer.User, LiveServer.Password);
        await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        for (var i = 0; i < 5; i++)
            await client.SayAsync($"RCPT TO:<bart@example.net>", "250");
        for (var i = 0; i < 5; i++)
            await client.SayAsync($"RCPT TO:<bart@example.net>", "450");

        await server.UntilAsync(() => server.Host.Relay.Spool.Count == 2);

        var page = await Run.JsonAsync("queue", "list", "--to", LiveServer.User);
        var ids = page.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("id").GetString()!).ToList();
        var texts = new List<string>();
        foreach (var id in ids)
            texts.Add((await Run.PosternAsync("queue", "show", id, "--content")).Output);
        Assert.Contains(texts, static t => t.Contains("Subject: Your mail is near its limit of 5/1h recipients", StringComparison.Ordinal));
        Assert.Contains(texts, static t => t.Contains("lisa@example.org has used 5 of 5/1h recipients.", StringComparison.Ordinal));
    }
}
