using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>docs/backup-and-upgrade.md: every command on it, typed as written.</summary>
[Collection(nameof(ProcessTests))]
public sealed class BackupAndUpgradePageTests
{
    private static readonly string[] WithoutServer = ["Restore", "Moving to another machine", "Downgrade"];

    [Fact]
    public async Task Every_command_on_the_page_does_what_the_page_says()
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration().Replace("data: data", "data: postern-data", StringComparison.Ordinal)) { DataName = "postern-data" };
        await home.AddDirectoryAsync();
        await WritePosternAsync(Path.Combine(home.Root, "bin"));
        var typed = new List<string>();

        PosternProcess? server = null;
        try
        {
            foreach (var (section, block) in Blocks())
            {
                var isRunning = !WithoutServer.Contains(section) || block.Contains("postern status", StringComparison.Ordinal);
                if (isRunning && server is null)
                {
                    server = await home.ServeAsync();
                    await SendAsync(server);
                }
                else if (!isRunning && server is not null)
                {
                    server.SendTerminate();
                    Assert.Equal(0, await server.WaitAsync());
                    await server.DisposeAsync();
                    server = null;
                }

                var result = await TypeAsync(home, block);
                Assert.True(result.ExitCode == 0, $"{section}: {block}\n{result.Output}\n{result.Error}");
                typed.Add($"{block}\n{result.Output}");
            }
        }
        finally
        {
            if (server is not null)
                await server.DisposeAsync();
        }

        // The first backup holds the one message of that time. The queue that was put back is the newer one and holds it too.
        Assert.Contains("1 messages in ", typed.Single(static t => t.StartsWith("postern backup backups/monday", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.All(typed.Where(static t => t.Contains("postern queue list", StringComparison.Ordinal)), static t => Assert.Contains(PosternHome.User, t, StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(home.Root, "backups/accounts/data/directory.db")));
        Assert.False(Directory.Exists(Path.Combine(home.Root, "backups/accounts/data/spool")));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(home.Root, "backups/logs")));
    }

    /// <summary>The indented blocks of the page, and the heading above each.</summary>
    private static IEnumerable<(string Section, string Block)> Blocks()
    {
        var (section, block) = (string.Empty, new List<string>());
        foreach (var line in File.ReadAllLines(RepositoryFiles.PathOf("docs/backup-and-upgrade.md")).Append(string.Empty))
        {
            if (line.StartsWith("    ", StringComparison.Ordinal))
            {
                block.Add(line.Trim());
                continue;
            }

            if (block.Count > 0)
                yield return (section, string.Join('\n', block));
            block.Clear();
            if (line.StartsWith("## ", StringComparison.Ordinal))
                section = line[3..];
        }
    }

    /// <summary>A <c>postern</c> to be found by its name.</summary>
    private static async Task WritePosternAsync(string directory)
    {
        Directory.CreateDirectory(directory);
        var script = Path.Combine(directory, "postern");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\nexec dotnet exec '{ProcessTests.Dll}' \"$@\"\n", ProcessTests.Stop);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static Task<ProgramResult> TypeAsync(PosternHome home, string block) => RunningProgram.RunAsync(
        ["bash", "-euc", block],
        home.Root,
        environment: new Dictionary<string, string> { ["PATH"] = $"{Path.Combine(home.Root, "bin")}:{Environment.GetEnvironmentVariable("PATH")}" });

    private static async Task SendAsync(PosternProcess server)
    {
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
        await dialogue.WriteAsync("Subject: x\r\n\r\nx\r\n");
        await dialogue.SayAsync(".", "250 2.0.0 Queued as ");
    }
}
