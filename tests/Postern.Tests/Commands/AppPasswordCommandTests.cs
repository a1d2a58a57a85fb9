using System.Text.Json;
using Postern.Commands.Output;

namespace Postern.Tests.Commands;

/// <summary>A stranger with the commands that make and limit app passwords.</summary>
public sealed class AppPasswordCommandTests : IDisposable
{
    private readonly CommandRun run = new("""
        server: { hostname: mail.example.org, data: data }
        listeners: [{ name: submission, listen: "127.0.0.1:0" }, { name: printers, listen: "127.0.0.1:0" }]

        """);

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task One_is_made_shown_once_and_listed_with_its_limits()
    {
        await run.PosternAsync("account", "add", "lisa@example.org");

        var added = await run.PosternAsync(
            "credential", "add", "lisa@example.org", "--app", "--label", "phone", "--expires", "90d", "--listener", "submission", "--network", "192.0.2.0/24", "--network", "2001:db8::7", "--first-network");

        Assert.Equal(ExitCode.Ok, added.ExitCode);
        Assert.Matches(
            "^app password phone \\(#1\\) added to account lisa@example.org, good only on submission, from 192.0.2.0/24 and 2001:db8::7/128, from the network that uses it first\nsecret: ([0-9a-z]{4}-){6}[0-9a-z]{4}\n$",
            added.Output);
        Assert.Equal("It is not shown again.\n", added.Error);
        var secret = added.Output.Split("secret: ")[1].TrimEnd();
        var list = await run.PosternAsync("credential", "list", "lisa@example.org");
        Assert.Matches("#1 +phone +SCRAM-SHA-256 +postern, for one app .* - +on submission, from 192.0.2.0/24 and 2001:db8::7/128, from the network that uses it first\n", list.Output);
        var json = (await run.JsonAsync("credential", "list", "lisa@example.org"))[0];
        Assert.Equal((true, JsonValueKind.Null, true), (json.GetProperty("isApp").GetBoolean(), json.GetProperty("lastUse").ValueKind, json.GetProperty("limits").GetProperty("firstNetwork").GetBoolean()));
        Assert.Equal("192.0.2.0/24", json.GetProperty("limits").GetProperty("networks")[0].GetString());
        Assert.DoesNotContain(secret, list.Output + json + await File.ReadAllTextAsync(Directory.GetFiles(Path.Combine(run.Data, "logs"), "admin-*.jsonl")[0], TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var issued = await run.JsonAsync("credential", "add", "lisa@example.org", "--app", "--label", "tablet");
        Assert.Equal(("tablet", true, JsonValueKind.Null), (issued.GetProperty("credential").GetProperty("label").GetString(), issued.GetProperty("secret").GetString()!.Length == 34, issued.GetProperty("credential").GetProperty("limits").ValueKind));
    }

    [Theory]
    [InlineData("an app password needs --label", "--app")]
    [InlineData("leave out --password-stdin", "--app", "--label", "phone", "--password-stdin")]
    [InlineData("there is no listener 'submision'; did you mean 'submission'?", "--app", "--label", "phone", "--listener", "submision")]
    [InlineData("There are submission, printers.", "--app", "--label", "phone", "--listener", "imap")]
    [InlineData("'192.0.2.7/24' has bits set behind its prefix: the network is 192.0.2.0/24", "--app", "--label", "phone", "--network", "192.0.2.7/24")]
    [InlineData("'office' is not a network: write 192.0.2.0/24", "--app", "--label", "phone", "--network", "office")]
    [InlineData("'0.0.0.0/0' is every client there is", "--app", "--label", "phone", "--network", "0.0.0.0/0")]
    [InlineData("'lisa' is neither a mail address nor @ and a domain", "--app", "--label", "phone", "--sender", "lisa")]
    [InlineData("'@' is neither a mail address nor @ and a domain", "--app", "--label", "phone", "--sender", "@")]
    [InlineData("expected a duration such as", "--app", "--label", "phone", "--expires", "soon")]
    public async Task What_is_wrong_is_said_and_nothing_is_added(string problem, params string[] options)
    {
        await run.PosternAsync("account", "add", "lisa@example.org");

        var result = await run.WithInputAsync("something\n", ["credential", "add", "lisa@example.org", .. options]);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await run.JsonAsync("credential", "list", "lisa@example.org")).GetArrayLength());
    }

    [Fact]
    public async Task A_second_of_the_same_label_is_told_what_to_do()
    {
        await run.PosternAsync("account", "add", "lisa@example.org");
        await run.PosternAsync("credential", "add", "lisa@example.org", "--app", "--label", "phone");

        var again = await run.PosternAsync("credential", "add", "lisa@example.org", "--app", "--label", "phone");

        Assert.Equal(ExitCode.No, again.ExitCode);
        Assert.Contains("to put another secret in its place: postern credential replace lisa@example.org phone", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_are_changed_one_by_one_lifted_and_written_down()
    {
        await run.PosternAsync("account", "add", "lisa@example.org");
        await run.PosternAsync("credential", "add", "lisa@example.org", "--app", "--label", "phone", "--network", "192.0.2.0/24");

        var changed = await run.PosternAsync("credential", "limit", "lisa@example.org", "phone", "--listener", "printers", "--sender", "lisa@example.org", "--expires", "30d");
        Assert.Matches("^credential phone of account lisa@example.org is good until [-0-9T:Z]+, only on printers, from 192.0.2.0/24, as lisa@example.org\n$", changed.Output);
        var lifted = await run.PosternAsync("credential", "limit", "lisa@example.org", "#1", "--network", "any", "--listener", "any", "--sender", "any", "--expires", "never");
        Assert.Equal("credential phone of account lisa@example.org is good without an end, wherever the account is\n", lifted.Output);

        var events = (await run.JsonAsync("log", "admin")).EnumerateArray().Where(static e => e.GetProperty("action").GetString() == "credential limit").ToList();
        Assert.Equal(
            ["listeners", "senders", "expires"],
            events[0].GetProperty("changes").EnumerateObject().Select(static change => change.Name));
        Assert.Equal(4, events[1].GetProperty("changes").EnumerateObject().Count());

        var nothing = await run.PosternAsync("credential", "limit", "lisa@example.org", "phone");
        Assert.Equal((ExitCode.Usage, "postern: nothing is said that is to be changed\n"), (nothing.ExitCode, nothing.Error));
        Assert.Contains("it has phone", (await run.PosternAsync("credential", "limit", "lisa@example.org", "tablet", "--first-network")).Error, StringComparison.Ordinal);
        Assert.Contains("there is no account 'lise@example.org'", (await run.PosternAsync("credential", "limit", "lise@example.org", "phone", "--first-network")).Error, StringComparison.Ordinal);
        Assert.Contains("expected a duration", (await run.PosternAsync("credential", "limit", "lisa@example.org", "phone", "--expires", "soon")).Error, StringComparison.Ordinal);
    }

    /// <summary>What an account may not, none of its secrets may: it is said where the secret is made.</summary>
    [Fact]
    public async Task A_sender_that_the_account_has_not_is_warned_of()
    {
        await run.PosternAsync("account", "add", "scanner", "--address", "scanner@example.org");

        var added = await run.PosternAsync("credential", "add", "scanner", "--app", "--label", "floor 1", "--sender", "scanner@example.org", "--sender", "@example.com");

        Assert.Equal(ExitCode.Ok, added.ExitCode);
        Assert.Contains("warning: the account may not send as @example.com, so this credential may not either (to grant it: postern account grant scanner --domain example.com)", added.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Auth_test_tries_it_as_on_a_listener_and_binds_nothing()
    {
        await run.PosternAsync("account", "add", "lisa@example.org");
        var secret = (await run.JsonAsync("credential", "add", "lisa@example.org", "--app", "--label", "phone", "--listener", "printers")).GetProperty("secret").GetString()!;

        var right = await run.WithInputAsync(secret + "\n", "auth", "test", "lisa@example.org", "--listener", "printers");
        var wrong = await run.WithInputAsync(secret + "\n", "auth", "test", "lisa@example.org", "--listener", "submission");
        var open = await run.WithInputAsync(secret + "\n", "auth", "test", "lisa@example.org");

        Assert.Equal((ExitCode.Ok, ExitCode.No, ExitCode.No), (right.ExitCode, wrong.ExitCode, open.ExitCode));
        Assert.Contains("the credential phone (#1) may be used on printers, and not on submission", wrong.Output, StringComparison.Ordinal);
        Assert.Contains("nobody says which listener this is", open.Output, StringComparison.Ordinal);
        Assert.Contains("a SCRAM-SHA-256 secret (phone, on printers)", right.Output, StringComparison.Ordinal);
    }
}
