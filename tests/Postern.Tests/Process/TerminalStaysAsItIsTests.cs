using System.ComponentModel;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>On a terminal a command prints, and does not switch the terminal to another mode.</summary>
[Collection(nameof(ProcessTests))]
public sealed class TerminalStaysAsItIsTests
{
    [Theory]
    [InlineData("check")] // a table, and warnings on the error stream
    [InlineData("queue list")]
    [InlineData("queue --help")]
    [InlineData("log admin")]
    public async Task What_only_prints_leaves_the_keys_as_they_were(string command)
    {
        using var home = await ProcessTests.HomeAsync();
        var said = await OnATerminalAsync($"dotnet {ProcessTests.Dll} {command}{(command.EndsWith("--help", StringComparison.Ordinal) ? string.Empty : $" --config {home.ConfigFile}")}");

        Assert.NotEmpty(said);
        Assert.DoesNotContain("\e[?1h", said, StringComparison.Ordinal);
        Assert.DoesNotContain("\e=", said, StringComparison.Ordinal);
    }

    private static async Task<string> OnATerminalAsync(string command)
    {
        try
        {
            return (await RunningProgram.RunAsync(["env", "TERM=xterm", "script", "-qec", command, "/dev/null"])).Output;
        }
        catch (Win32Exception)
        {
            Assert.Skip("script is not installed");
            throw;
        }
    }
}
