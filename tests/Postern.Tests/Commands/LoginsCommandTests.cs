using Postern.Commands.Output;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

/// <summary><c>postern logins</c>, and what the rule behind it does, of a whole server.</summary>
public sealed class LoginsCommandTests : IAsyncDisposable
{
    private const string Rules = LiveServer.Listeners
        + "rules: { recipient: [watch_logins: { throttle: none, hold: 5, suspend: 1000 }, permit_authenticated], message: [watch_logins: { throttle: none, hold: 5, suspend: 1000 }] }\n";

    private readonly LiveServer server = new();

    private CommandRun Run => server.Run;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_login_that_sends_to_many_is_held_the_postmaster_hears_of_it_once_and_it_is_forgiven()
    {
        await server.StartAsync(Rules);
        await using var client = await server.ConnectAsync();
        await client.SayAsync("EHLO client.example", "250");
        await client.LogInAsync(LiveServer.User, LiveServer.Password);
        await client.SayAsync($"MAIL FROM:<{LiveServer.User}>", "250");
        for (var i = 0; i < 200; i++)
            await client.SayAsync($"RCPT TO:<x{i}@d{i}.example>", "250");
        await client.SayAsync("DATA", "354");
        await client.WriteAsync($"From: {LiveServer.User}\r\nSubject: a prize\r\n\r\nx\r\n.\r\n");
        Assert.StartsWith("250", await client.ReadReplyAsync(), StringComparison.Ordinal);

        var watched = await Run.PosternAsync("logins", "watched");
        Assert.Equal((ExitCode.Ok, string.Empty), (watched.ExitCode, watched.Error));
        Assert.Matches("lisa@example.org#1 +[0-9]+ +held .*200 recipients in this hour, 60 in its own busiest", watched.Output.ReplaceLineEndings(" "));
        var first = (await Run.JsonAsync("logins", "watched"))[0];
        Assert.Equal(("lisa@example.org#1", "Hold", true), (first.GetProperty("login").GetString(), first.GetProperty("step").GetString(), first.GetProperty("isLearning").GetBoolean()));
        Assert.Equal(1, (await Run.JsonAsync("queue", "list", "--held")).GetProperty("items").GetArrayLength());
        await server.UntilAsync(() => server.Host.Relay.Spool.Count == 2);
        await server.FlushLogAsync();
        var told = (await Run.JsonAsync("log", "server")).EnumerateArray().Where(static e => e.TryGetProperty("what", out var what) && what.GetString() == "login_watched").ToList();
        Assert.Contains("lisa@example.org#1 has its messages held, score", Assert.Single(told).GetProperty("detail").GetString(), StringComparison.Ordinal);

        var forgiven = await Run.PosternAsync("logins", "forgive", "LISA@example.org");

        Assert.Equal("lisa@example.org#1: taken for its own; what is held: postern queue list --held\n", forgiven.Output);
        Assert.Contains("no login sends unlike itself", (await Run.PosternAsync("logins", "watched")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.No, (await Run.PosternAsync("logins", "forgive", "bart@example.org")).ExitCode);
        await server.FlushLogAsync();
        Assert.Contains("logins forgive", (await Run.PosternAsync("log", "admin")).Output, StringComparison.Ordinal);
    }
}
