using Postern.Commands.Output;

namespace Postern.Tests.Commands;

public sealed class DirectoryCommandTests
{
    [Fact]
    public async Task A_network_for_an_unknown_domain_says_how_to_add_the_domain()
    {
        using var run = new CommandRun();

        var result = await run.PosternAsync("network", "add", "192.0.2.0/24", "--domain", "example.org");

        Assert.Equal("postern: there is no domain 'example.org'; to add it: postern domain add example.org", result.Error.TrimEnd());
    }

    [Fact]
    public async Task An_account_lives_from_add_to_remove()
    {
        using var run = new CommandRun();

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "add", "Lisa@Example.org", "--domain", "example.net")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("account", "add", "lisa@example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "grant", "lisa@example.org", "--address", "news@example.com")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "revoke", "lisa@example.org", "--domain", "example.net")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "disable", "lisa@example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "disable", "lisa@example.org")).ExitCode);

        var account = await run.JsonAsync("account", "show", "lisa@example.org");
        Assert.Equal("lisa@example.org", account.GetProperty("name").GetString());
        Assert.False(account.GetProperty("enabled").GetBoolean());
        Assert.Equal(["lisa@example.org", "news@example.com"], account.GetProperty("addresses").EnumerateArray().Select(static a => a.GetString()!));
        Assert.Empty(account.GetProperty("domains").EnumerateArray());

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "enable", "lisa@example.org")).ExitCode);
        Assert.Contains("enabled", (await run.PosternAsync("account", "list")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "remove", "lisa@example.org")).ExitCode);
        Assert.Equal(0, (await run.JsonAsync("account", "list")).GetArrayLength());
        Assert.Equal(ExitCode.No, (await run.PosternAsync("account", "show", "lisa@example.org")).ExitCode);
    }

    [Fact]
    public async Task A_generated_secret_is_printed_once_and_only_then()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");

        var added = await run.JsonAsync("credential", "add", "app", "--generate", "--label", "web-1", "--expires", "90d");
        var secret = added.GetProperty("secret").GetString()!;
        var shown = await run.PosternAsync("account", "show", "app");
        var listed = await run.PosternAsync("credential", "list", "app", "--json");

        Assert.True(secret.Length >= 20);
        Assert.Contains("web-1", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, shown.Output + shown.Error + listed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("credential", "revoke", "app", "web-1")).ExitCode);
        Assert.Equal(ExitCode.No, (await run.PosternAsync("credential", "revoke", "app", "web-1")).ExitCode);
    }

    [Fact]
    public async Task A_typed_password_comes_from_standard_input_and_is_never_shown()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "app");

        var added = await run.WithInputAsync("correct horse battery\n", "credential", "add", "app", "--password-stdin");
        var empty = await run.WithInputAsync(string.Empty, "credential", "add", "app", "--password-stdin");
        var weak = await run.WithInputAsync("short\n", "credential", "add", "app", "--password-stdin");

        Assert.Equal((ExitCode.Ok, ExitCode.Usage, ExitCode.Usage), (added.ExitCode, empty.ExitCode, weak.ExitCode));
        Assert.DoesNotContain("horse", added.Output + added.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("short\n", weak.Output + weak.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Domains_and_networks_are_added_listed_and_removed()
    {
        using var run = new CommandRun();

        Assert.Equal(ExitCode.No, (await run.PosternAsync("network", "add", "192.0.2.0/24", "--domain", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("domain", "add", "example.org", "--accept")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("network", "add", "192.0.2.0/24", "--domain", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("network", "add", "192.0.2.1/24", "--domain", "example.org")).ExitCode);

        var domain = await run.JsonAsync("domain", "show", "example.org");
        Assert.True(domain.GetProperty("accepts").GetBoolean());
        Assert.Equal("192.0.2.0/24", Assert.Single(domain.GetProperty("networks").EnumerateArray()).GetString());
        Assert.Equal("example.org", (await run.JsonAsync("network", "list"))[0].GetProperty("domain").GetString());

        Assert.Equal(ExitCode.Usage, (await run.PosternAsync("domain", "remove", "example.org")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("network", "remove", "192.0.2.0/24")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("domain", "remove", "example.org")).ExitCode);
        Assert.Contains("no domains", (await run.PosternAsync("domain", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_database_is_said_in_two_lines()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        File.WriteAllText(Path.Combine(run.Data, "directory.db"), new string('x', 8192));

        var result = await run.PosternAsync("account", "list");

        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Equal(2, result.Error.TrimEnd().Split('\n').Length);
        Assert.Contains("directory.db", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_says_what_became_of_a_change()
    {
        using var run = new CommandRun();

        var missing = await run.JsonAsync("account", "disable", "nobody");

        Assert.Equal((false, "notFound"), (missing.GetProperty("ok").GetBoolean(), missing.GetProperty("outcome").GetString()));
    }
}
