using Postern.Testing;
using Postern.Tests.Commands;

namespace Postern.Tests.Process;

/// <summary>Users come over while the server runs, and are let in by the next login; the offer follows them.</summary>
[Collection(nameof(ProcessTests))]
public sealed class ImportedUsersLogInTests
{
    [Fact]
    public async Task Users_that_are_imported_while_the_server_runs_log_in_and_scram_leaves_the_offer()
    {
        using var home = await ProcessTests.HomeAsync();
        var (users, senders) = (Path.Combine(home.Root, "users"), Path.Combine(home.Root, "senders"));
        await File.WriteAllTextAsync(users, ImportedUsers.Passwd(20), ProcessTests.Stop);
        await File.WriteAllTextAsync(senders, ImportedUsers.Senders(20), ProcessTests.Stop);
        await using var server = await home.ServeAsync();
        await using var before = await SmtpDialogue.OpenAsync(server["plain"]);
        await before.ReadReplyAsync();
        Assert.Contains("SCRAM-SHA-256", await before.AskAsync("EHLO client.example"), StringComparison.Ordinal);

        var imported = await home.RunAsync("account", "import", users, senders);

        Assert.Equal(0, imported.ExitCode);
        for (var i = 0; i < 4; i++)
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
            await dialogue.LogInAsync(ImportedUsers.NameOf(i), ImportedUsers.PasswordOf(i));
            await dialogue.SayAsync($"MAIL FROM:<alias{i}@example.org>", "250");
            await dialogue.SayAsync("RCPT TO:<bart@example.net>", "250");
        }

        await server.Output.FindAsync(static line => line.Contains("\"mechanisms\"", StringComparison.Ordinal));
        Assert.DoesNotContain("SCRAM-SHA-256", await before.AskAsync("EHLO client.example"), StringComparison.Ordinal);
        Assert.Contains("nothing changed", (await home.RunAsync("account", "import", users, senders)).Output, StringComparison.Ordinal);
    }
}
