using Postern.Testing;

namespace Postern.Tests.Process;

/// <summary>A user whose password is in a file needs no account in the directory, and has no more rights than its own name.</summary>
[Collection(nameof(ProcessTests))]
public sealed class UserOfAFileSendsAsItselfTests
{
    private const string User = "fritz@example.org";
    private const string Password = "filed-away-1";

    [Fact]
    public async Task It_sends_as_its_own_address_and_as_no_other_and_a_dry_run_says_the_same()
    {
        using var home = await ProcessTests.HomeAsync();
        var passwd = Path.Combine(home.Root, "passwd");
        await File.WriteAllTextAsync(passwd, $"{User}:{Password}\n", ProcessTests.Stop);
        await File.AppendAllTextAsync(home.ConfigFile, $"accounts: [directory, 'file://{passwd}']\n", ProcessTests.Stop);
        await using var server = await home.ServeAsync();
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(User, Password);

        await dialogue.SayAsync("MAIL FROM:<homer@example.org>", "553 5.7.1");
        await dialogue.SayAsync($"MAIL FROM:<{User}>", "250");
        await dialogue.SayAsync("RCPT TO:<bart@example.net>", "250");
        var dry = await home.RunAsync("explain", "--client", "127.0.0.1", "--login", User, "--tls", "--from", User, "--to", "bart@example.net");
        Assert.Equal(0, dry.ExitCode);
    }
}
