using Postern.Commands.Output;
using Postern.Testing;

namespace Postern.Tests.Commands;

/// <summary>docs/app-passwords.md: every command on it, as it is written.</summary>
public sealed class AppPasswordsPageTests
{
    [Fact]
    public async Task Every_command_on_the_page_does_what_the_page_says()
    {
        using var run = new CommandRun("server: { hostname: mail.example.org, data: data }\nlisteners: [{ name: submission, listen: '127.0.0.1:0' }]\n");
        var outputs = new List<string>();
        foreach (var line in Commands())
        {
            var words = line.Trim().Split(' ')[1..];
            var result = await run.PosternAsync(words);

            Assert.True(result.ExitCode == (words[0] is "explain" ? ExitCode.No : ExitCode.Ok), $"{line}\n{result.Output}\n{result.Error}");
            outputs.Add(result.Output + result.Error);
        }

        Assert.Equal(12, outputs.Count);
        Assert.Matches("#1 +phone(.|\n)*#2 +scanner", outputs[4]);
        Assert.Equal("nothing found\n", outputs[10]);
        Assert.Contains("535 5.7.8: the credential phone (#1) may be used from 192.0.2.0/24, and not from 203.0.113.9", outputs[11], StringComparison.Ordinal);
    }

    private static IEnumerable<string> Commands() =>
        File.ReadLines(SourceTree.PathOf("docs/app-passwords.md")).Where(static line => line.StartsWith("    postern ", StringComparison.Ordinal));
}
