using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>The reference at the end of a refusal leads back to the decision, and a dry run decides the same.</summary>
[Collection(nameof(ProcessTests))]
public sealed partial class RefusalIsExplainedTests
{
    [Fact]
    public async Task A_reference_from_the_wire_is_found_with_its_chain()
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);

        var refusal = await RefuseAsync(dialogue, "homer@example.com", "bart@example.net");
        var reference = Reference().Match(refusal).Groups["ref"].Value;

        var explained = await ExplainAsync(home, reference);
        Assert.Equal(0, explained.ExitCode);
        Assert.Contains($"reply: {refusal}", explained.Output, StringComparison.Ordinal);
        Assert.Contains("what would change it", explained.Output, StringComparison.Ordinal);
        Assert.Contains("homer@example.com", explained.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "homer@example.com", "bart@example.net")]
    [InlineData(null, "lisa@example.org", "bart@example.net")]
    [InlineData(PosternHome.User, "homer@example.org", "bart@example.net")]
    [InlineData(PosternHome.User, "homer@example.com", "bart@example.net")]
    public async Task A_dry_run_gives_the_refusal_of_the_wire(string? login, string from, string to)
    {
        using var home = await ProcessTests.HomeAsync();
        await using var server = await home.ServeAsync();
        await using var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        if (login is not null)
            await dialogue.LogInAsync(login, PosternHome.Password);

        var refusal = await RefuseAsync(dialogue, from, to);
        var reference = Reference().Match(refusal).Groups["ref"].Value;
        var recorded = await ExplainAsync(home, reference, "--json");
        string[] who = login is null ? [] : ["--login", login];
        var dry = await home.RunAsync(["explain", "--client", "127.0.0.1", "--listener", "plain", "--from", from, "--to", to, .. who, "--json"]);

        Assert.Equal(1, dry.ExitCode);
        var (was, wouldBe) = (Decision(recorded), Decision(dry));
        Assert.Equal(WithoutReference(refusal), WithoutReference(wouldBe.GetProperty("reply").GetString()!));
        Assert.Equal(was.GetProperty("chain").ToString(), wouldBe.GetProperty("chain").ToString());
        Assert.Equal(was.GetProperty("rule").GetString(), wouldBe.GetProperty("rule").GetString());
    }

    [Fact]
    public async Task A_dry_run_permits_what_the_wire_permits()
    {
        using var home = await ProcessTests.HomeAsync();
        var dry = await home.RunAsync("explain", "--client", "127.0.0.1", "--login", PosternHome.User, "--tls", "--from", PosternHome.User, "--to", "bart@example.net");
        Assert.Equal(0, dry.ExitCode);
        Assert.Contains("permit_authenticated", dry.Output, StringComparison.Ordinal);
    }

    /// <summary>The first reply of the transaction that is no.</summary>
    private static async Task<string> RefuseAsync(SmtpDialogue dialogue, string from, string to)
    {
        var sender = await dialogue.AskAsync($"MAIL FROM:<{from}>");
        var refusal = sender.StartsWith('2') ? await dialogue.AskAsync($"RCPT TO:<{to}>") : sender;
        Assert.StartsWith("5", refusal, StringComparison.Ordinal);
        Assert.Matches(Reference(), refusal);
        return refusal;
    }

    /// <summary>Events gather a moment before they are in the log.</summary>
    private static async Task<ProgramResult> ExplainAsync(PosternHome home, string reference, params string[] more)
    {
        for (var tries = 0; ; tries++)
        {
            var result = await home.RunAsync(["explain", reference, .. more]);
            if (tries == 20 || !result.Error.Contains("holds nothing", StringComparison.Ordinal))
                return result;
        }
    }

    private static JsonElement Decision(ProgramResult result) => Assert.Single(JsonElement.Parse(result.Output).GetProperty("decisions").EnumerateArray());

    private static string WithoutReference(string reply) => Reference().Replace(reply, string.Empty);

    [GeneratedRegex(@" \(ref (?<ref>[0-9A-Z]{6})\)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Reference();
}
