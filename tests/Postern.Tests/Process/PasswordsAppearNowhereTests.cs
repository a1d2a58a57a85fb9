using System.Text;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>A password goes in and never comes out: not into a log, not into the database, not into a reply, in no encoding.</summary>
[Collection(nameof(ProcessTests))]
public sealed class PasswordsAppearNowhereTests
{
    private const string Canary = "Tz7kQxWv3mNpRb9hLd";

    [Fact]
    public async Task No_output_and_no_file_holds_a_password_that_was_tried()
    {
        using var home = await ProcessTests.HomeAsync();
        Assert.Equal(0, (await home.RunAsync("account", "add", "homer@example.org")).ExitCode);
        var added = await home.RunWithInputAsync(Canary + "\n", "credential", "add", "homer@example.org", "--password-stdin");
        Assert.Equal(0, added.ExitCode);
        var said = new StringBuilder(added.Output).Append(added.Error);

        await using (var server = await home.ServeAsync())
        {
            foreach (var (line, more) in Attempts())
                said.Append(await TryAsync(server, line, more));
            await using (var sender = await SmtpDialogue.GreetAsync(server["submissions"], implicitTls: true))
            {
                await sender.LogInAsync("homer@example.org", Canary);
                said.Append(await sender.SendAsync("homer@example.org", "bart@example.net", "Subject: x\r\n\r\nx\r\n"));
            }

            Assert.Equal(0, await server.StopAsync());
            said.Append(server.Output.Text).Append(server.Error.Text);
        }

        foreach (var args in (string[][])[["log", "auth"], ["log", "auth", "--json"], ["account", "show", "homer@example.org", "--json"], ["credential", "list", "homer@example.org", "--json"]])
            said.Append((await home.RunAsync(args)).Output);
        Assert.Contains("\"event\":\"login\"", said.ToString(), StringComparison.Ordinal);

        AssertClean("the output", Encoding.UTF8.GetBytes(said.ToString()));
        var files = Directory.GetFiles(home.Root, "*", SearchOption.AllDirectories);
        Assert.Contains(files, static f => f.EndsWith(".segment", StringComparison.Ordinal));
        Assert.Contains(files, static f => Path.GetFileName(f).StartsWith("auth", StringComparison.Ordinal));
        foreach (var file in files)
            AssertClean(file, await File.ReadAllBytesAsync(file, ProcessTests.Stop));
    }

    [Fact]
    public void The_search_finds_what_it_looks_for()
    {
        foreach (var (_, shape) in SecretTrace.ShapesOf(Canary))
            Assert.ThrowsAny<Exception>(() => AssertClean("x", [1, .. shape, 2]));
        Assert.ThrowsAny<Exception>(() => AssertClean("x", Encoding.ASCII.GetBytes(SmtpDialogue.Plain("homer@example.org", Canary))));
    }

    /// <summary>Right, wrong and malformed logins; a password where a user name, a mechanism or a command belongs.</summary>
    private static IEnumerable<(string Line, string[] More)> Attempts()
    {
        yield return ($"AUTH PLAIN {SmtpDialogue.Plain("homer@example.org", Canary)}", []);
        yield return ($"AUTH PLAIN {SmtpDialogue.Plain("homer@example.org", Canary + "x")}", []);
        yield return ($"AUTH PLAIN {SmtpDialogue.Plain("unknown@example.org", Canary)}", []);
        yield return ($"AUTH PLAIN {SmtpDialogue.Plain(Canary, "x")}", []);
        yield return ($"AUTH PLAIN {Base64($"\0homer@example.org\0{Canary}\0\0")}", []);
        yield return ($"AUTH PLAIN {Base64($"marge@example.org\0homer@example.org\0{Canary}")}", []);
        yield return ($"AUTH PLAIN {Canary}", []);
        yield return ($"AUTH PLAIN {SmtpDialogue.Plain("homer@example.org", Canary)}!", []);
        yield return ($"AUTH {Canary}", []);
        yield return ("AUTH PLAIN", [SmtpDialogue.Plain("homer@example.org", Canary)]);
        yield return ("AUTH LOGIN", [Base64("homer@example.org"), Base64(Canary)]);
        yield return ("AUTH LOGIN", [Base64("homer@example.org"), Base64(Canary + "y")]);
        yield return ("AUTH LOGIN", [Base64(Canary), Base64(Canary)]);
        yield return ("AUTH LOGIN", [Base64("homer@example.org"), Canary + "!"]);
        // A client that did not wait for the challenge.
        yield return (Base64(Canary), []);
        yield return (Canary, []);
    }

    private static async Task<string> TryAsync(PosternProcess server, string line, string[] more)
    {
        var replies = new StringBuilder();
        foreach (var listener in (string[])["plain", "submissions"])
        {
            await using var dialogue = await SmtpDialogue.GreetAsync(server[listener], implicitTls: listener == "submissions");
            replies.Append(await dialogue.AskAsync(line)).Append('\n');
            foreach (var response in more)
                replies.Append(await dialogue.AskAsync(response)).Append('\n');
        }

        return replies.ToString();
    }

    private static void AssertClean(string where, byte[] content) =>
        Assert.Null(SecretTrace.Find(content, Canary) is { } trace ? $"{where} holds {trace}" : null);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
