using System.Globalization;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>A process that may open no more files: it says so, once, and goes on by itself; one that cannot even start says that in a sentence.</summary>
[Collection(nameof(ProcessTests))]
public sealed class ShortageIsWaitedOutTests
{
    [Fact]
    public async Task Without_files_clients_wait_and_are_served_when_there_are_some_again()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await using var open = await SmtpDialogue.GreetAsync(server["plain"]);
        await open.LogInAsync(PosternHome.User, PosternHome.Password);
        Assert.StartsWith("250 ", await open.SendAsync(PosternHome.User, "before@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);
        var hard = await LimitAsync(server, "HARD");
        await LimitAsync(server, Directory.GetFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{server.Id}/fd")).Length + 2, hard);

        var waiting = new List<SmtpDialogue>();
        try
        {
            for (var i = 0; i < 12; i++)
                waiting.Add(await SmtpDialogue.OpenAsync(server["plain"]));
            await server.Output.FindAsync(static line => line.Contains("nobody is accepted until there is enough again", StringComparison.Ordinal));
            // Who is in already is served: what a message needs was opened before.
            Assert.StartsWith("250 ", await open.SendAsync(PosternHome.User, "in-need@example.net", "Subject: x\r\n\r\nx\r\n"), StringComparison.Ordinal);

            await LimitAsync(server, long.Parse(hard, CultureInfo.InvariantCulture), hard);
            foreach (var client in waiting)
                await client.ExpectAsync("220");
        }
        finally
        {
            foreach (var client in waiting)
                await client.DisposeAsync();
        }

        await server.Output.FindAsync(static line => line.Contains("accepts again after", StringComparison.Ordinal));
        Assert.Equal(2, server.Output.Lines.Count(static line => line.Contains("listener_trouble", StringComparison.Ordinal)));
        Assert.Equal(0, await server.StopAsync());
        Assert.Equal(2, (await home.JsonAsync("queue", "list")).GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData(200)]
    [InlineData(120)]
    public async Task A_start_with_too_few_files_ends_with_a_sentence(int files)
    {
        using var home = await ProcessTests.HomeAsync();

        var serve = await home.RunByAsync(["prlimit", string.Create(CultureInfo.InvariantCulture, $"--nofile={files}:{files}")], "serve");

        Assert.Equal(1, serve.ExitCode);
        Assert.Equal(
            $"postern: this process may open {files} files, and a server needs 512 at least\n  Allow more: LimitNOFILE= in a systemd unit, or ulimit -n before the start.\n", serve.Error);
    }

    private static async Task<string> LimitAsync(PosternProcess server, string column)
    {
        var asked = await RunningProgram.RunAsync(["prlimit", string.Create(CultureInfo.InvariantCulture, $"--pid={server.Id}"), "--nofile", "--raw", "--noheadings", "--output", column]);
        return asked.ExitCode == 0 ? asked.Output.Trim() : throw new InvalidOperationException(asked.Error);
    }

    private static async Task LimitAsync(PosternProcess server, long soft, string hard)
    {
        var set = await RunningProgram.RunAsync(["prlimit", string.Create(CultureInfo.InvariantCulture, $"--pid={server.Id}"), string.Create(CultureInfo.InvariantCulture, $"--nofile={soft}:{hard}")]);
        Assert.True(set.ExitCode == 0, set.Error);
    }
}
