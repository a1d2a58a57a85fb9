using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit.Events;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

public sealed class AuthBlocksTests
{
    [Fact]
    public async Task Row_249_who_is_slowed_is_listed_and_lifted()
    {
        using var run = new CommandRun();
        Assert.Contains("no server is running", (await run.PosternAsync("auth", "blocks")).Error, StringComparison.Ordinal);
        await using var server = await RunningServer.StartAsync(run.Data);
        Assert.Contains("no login is slowed", (await run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);

        for (var i = 0; i < 10; i++)
            server.Protection.Settle(await server.Protection.EnterAsync("lisa", "192.0.2.7", CancellationToken.None), LoginOutcome.Wrong, isUser: true);
        Assert.Contains("account lisa from 192.0.2.0/24", (await run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);
        var block = (await run.JsonAsync("auth", "blocks"))[0];
        Assert.Equal(("paused", 10, "10/1h"), (block.GetProperty("state").GetString(), block.GetProperty("wrong").GetInt32(), block.GetProperty("budget").GetString()));

        Assert.Equal(
            [1, 1, 0, 0],
            new[] { "LISA", "192.0.2.9", "bart", "198.51.100.1" }.Select(target => server.Protection.Blocks(target).Count(static b => b.Who == "account lisa from 192.0.2.0/24")));

        var lifted = await run.PosternAsync("auth", "lift", "Lisa");
        Assert.Equal((0, string.Empty), (lifted.ExitCode, lifted.Error));
        Assert.Contains("lifted: Lisa", lifted.Output, StringComparison.Ordinal);
        Assert.Contains("no login is slowed", (await run.PosternAsync("auth", "blocks")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await run.PosternAsync("auth", "lift", "bart")).ExitCode);
        Assert.Contains(server.Events.All.OfType<AdminEvent>(), static e => e is { Action: "auth lift", Target: "Lisa" });
    }
}
