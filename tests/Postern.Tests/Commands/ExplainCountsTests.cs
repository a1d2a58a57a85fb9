using Postern.Commands.Output;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Counters;
using Postern.Tests.Hosting;

namespace Postern.Tests.Commands;

public sealed class ExplainCountsTests
{
    [Fact]
    public async Task Explain_asks_the_running_server_what_was_counted_and_without_it_says_that_it_is_unknown()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\nrules: { message: [{ reject_over_limit: { messages: 2/1h } }] }\n");
        await run.PosternAsync("account", "add", "lisa@example.org");
        string[] question = ["explain", "--client", "192.0.2.7", "--login", "lisa@example.org", "--tls", "--from", "lisa@example.org", "--to", "bart@example.net"];
        var alone = await run.PosternAsync(question);
        Assert.Equal(ExitCode.Ok, alone.ExitCode);
        Assert.Contains("how many were used is unknown", alone.Output, StringComparison.Ordinal);

        using var counters = LocalCounters.Open(Path.Combine(run.Root, "counters"), NoAuditLog.Instance, TimeProvider.System);
        await using var server = await RunningServer.StartAsync(run.Data, counters);
        var limit = new LoginBudget(2, TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++)
            Assert.Contains("0 of 2/1h messages used by lisa@example.org", (await run.PosternAsync(question)).Output, StringComparison.Ordinal);
        await counters.TakeAsync(new CounterKey("login_messages", "lisa@example.org"), limit, cost: 2, TestContext.Current.CancellationToken);

        var over = await run.PosternAsync(question);

        Assert.Equal(ExitCode.No, over.ExitCode);
        Assert.Contains("reply: 450 4.7.1 <lisa@example.org>: Sender address rejected: over the limit of 2/1h messages", over.Output, StringComparison.Ordinal);
        Assert.Contains("2 of 2/1h messages used by lisa@example.org", over.Output, StringComparison.Ordinal);
    }
}
