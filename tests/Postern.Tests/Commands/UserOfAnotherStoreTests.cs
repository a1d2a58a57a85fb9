using Postern.Commands.Output;

namespace Postern.Tests.Commands;

/// <summary>What commands say of users whose password is kept outside the directory.</summary>
public sealed class UserOfAnotherStoreTests : IDisposable
{
    private const string User = "lisa@example.org";
    private const string Password = "tiger-tiger-7";

    private readonly CommandRun run = new();
    private readonly string passwd;

    public UserOfAnotherStoreTests()
    {
        passwd = Path.Combine(run.Root, "passwd");
        File.WriteAllText(passwd, $"{User}:{Password}\nlocked@example.org:!\n");
        File.AppendAllText(run.ConfigFile, $"accounts: [directory, 'file://{passwd}']\n");
    }

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Account_show_tells_which_store_logs_a_user_in_and_what_it_may_send_as()
    {
        var before = await run.PosternAsync("account", "show", User);
        await run.PosternAsync("account", "add", User, "--address", "sales@example.org");
        var after = await run.PosternAsync("account", "show", User);
        var credentials = await run.PosternAsync("credential", "list", User);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (before.ExitCode, after.ExitCode));
        Assert.Matches($"logs in by +file://{passwd}", before.Output);
        Assert.Matches($"may send as +{User}\n", before.Output);
        Assert.Matches($"logs in by +file://{passwd}", after.Output);
        Assert.Matches($"may send as +{User}, sales@example.org\n", after.Output);
        Assert.Contains($"{User} logs in by file://{passwd}", credentials.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("cannot log in", before.Output + after.Output + credentials.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, before.Output + after.Output + credentials.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Account_show_says_disabled_of_a_locked_line_and_nothing_of_a_user_that_no_store_has()
    {
        var locked = await run.JsonAsync("account", "show", "locked@example.org");
        var nobody = await run.PosternAsync("account", "show", "nobody@example.org");

        Assert.False(locked.GetProperty("enabled").GetBoolean());
        Assert.Equal(ExitCode.No, nobody.ExitCode);
        Assert.Contains("there is no account 'nobody@example.org'", nobody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Account_show_of_an_account_without_any_password_says_that_it_cannot_log_in()
    {
        await run.PosternAsync("account", "add", "bart@example.org");
        var result = await run.PosternAsync("account", "show", "bart@example.org");
        Assert.Matches("logs in by +nothing: no store has a password of it", result.Output);
        Assert.Contains("bart@example.org cannot log in", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_for_a_grant_keeps_the_login()
    {
        var before = await run.WithInputAsync(Password + "\n", "auth", "test", User);
        await run.PosternAsync("account", "add", User, "--address", "sales@example.org");
        var after = await run.WithInputAsync(Password + "\n", "auth", "test", User);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (before.ExitCode, after.ExitCode));
        Assert.Contains("without a credential: a store behind it may log it in", after.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("account", "grant", User, "--address", "sales@example.org")]
    [InlineData("account", "revoke", User, "--address", "sales@example.org")]
    [InlineData("account", "disable", User)]
    [InlineData("account", "remove", User)]
    [InlineData("credential", "add", User)]
    public async Task A_command_on_such_a_user_says_how_to_give_it_an_account(params string[] command)
    {
        var result = await run.PosternAsync(command);
        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Contains($"it is a user of file://{passwd}", result.Error, StringComparison.Ordinal);
        Assert.Contains($"postern account add {User}", result.Error, StringComparison.Ordinal);
    }
}
