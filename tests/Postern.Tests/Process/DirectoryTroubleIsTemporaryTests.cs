using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>A directory that cannot answer while the server runs is 454, never 535 and never 235, and answers again when it is back.</summary>
[Collection(nameof(ProcessTests))]
public sealed class DirectoryTroubleIsTemporaryTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("this is not a database, but long enough to be looked at")]
    public async Task A_directory_that_is_lost_or_damaged_is_454_until_it_is_back(string? replacement)
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        var aside = home.DirectoryFile + ".aside";
        File.Move(home.DirectoryFile, aside);
        if (replacement is not null)
            await File.WriteAllTextAsync(home.DirectoryFile, replacement, ProcessTests.Stop);

        // The server looks at the file once a second at most.
        var trouble = await LogInUntilAsync(server, "454");
        File.Move(aside, home.DirectoryFile, overwrite: true);
        var recovered = await LogInUntilAsync(server, "235");

        Assert.All(trouble, static reply => Assert.Matches("^(235 2.7.0|454 4.7.0) ", reply));
        Assert.All(recovered, static reply => Assert.Matches("^(235 2.7.0|454 4.7.0) ", reply));
        Assert.Equal(0, await server.StopAsync());
    }

    /// <summary>Every reply up to the wanted one.</summary>
    private static async Task<IReadOnlyList<string>> LogInUntilAsync(PosternProcess server, string wanted)
    {
        var replies = new List<string>();
        while (replies.Count < 200)
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
            replies.Add(await dialogue.AskAsync($"AUTH PLAIN {SmtpDialogue.Plain(PosternHome.User, PosternHome.Password)}"));
            if (replies[^1].StartsWith(wanted, StringComparison.Ordinal))
                return replies;
            await Task.Delay(100, ProcessTests.Stop);
        }

        throw new TimeoutException($"never {wanted}, at last {replies[^1]}");
    }
}
