using Postern.Commands.Output;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Runtime;

namespace Postern.Tests.Commands;

public sealed class BackupCommandTests
{
    [Fact]
    public async Task A_backup_never_touches_what_is_there_and_leaves_nothing_when_it_fails()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        var to = Path.Combine(run.Root, "monday");

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("backup", to)).ExitCode);
        var again = await run.PosternAsync("backup", to);
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        Assert.Contains("is there already", again.Error, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(run.Data, "directory.db"), new string('x', 5000), TestContext.Current.CancellationToken);
        var damaged = await run.PosternAsync("backup", Path.Combine(run.Root, "tuesday"));
        Assert.Equal(ExitCode.No, damaged.ExitCode);
        Assert.Contains("directory.db: it is not a database", damaged.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(run.Root, "tuesday*"));
    }

    [Fact]
    public async Task A_restored_backup_knows_the_accounts_and_its_files_are_its_owners()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        var to = Path.Combine(run.Root, "monday");
        var copied = await run.JsonAsync("backup", to);
        Assert.Equal((to, 0), (copied.GetProperty("directory").GetString(), copied.GetProperty("messages").GetInt32()));
        if (!OperatingSystem.IsWindows())
        {
            Assert.All([to, .. Directory.GetDirectories(to)], static d => Assert.Equal("700", Convert.ToString((int)File.GetUnixFileMode(d), 8)));
            Assert.All(Directory.GetFiles(to, "*", SearchOption.AllDirectories), static f => Assert.Equal("600", Convert.ToString((int)File.GetUnixFileMode(f), 8)));
        }

        await run.PosternAsync("account", "remove", "lisa@example.org", "--yes");
        Directory.Delete(run.Data, recursive: true);
        Directory.Move(Path.Combine(to, "data"), run.Data);

        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("account", "show", "lisa@example.org")).ExitCode);
    }

    /// <summary>Else whoever restores it would let everybody send, and guess, from the beginning.</summary>
    [Fact]
    public async Task What_rules_have_counted_and_wrong_logins_are_in_the_backup_and_files_in_the_making_are_not()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        var (key, limit) = (new CounterKey("login_messages", "lisa@example.org"), new RateLimit(5, TimeSpan.FromDays(1)));
        using (var counters = LocalCounters.Open(RelayOptions.CountersFile(run.Data), NoAuditLog.Instance, TimeProvider.System))
            await counters.TakeAsync(key, limit, cost: 4, TestContext.Current.CancellationToken);
        // As a server that runs leaves it in this moment: a line is being written, and a new file is in the making.
        await File.AppendAllTextAsync(RelayOptions.CountersFile(run.Data), "6388", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(RelayOptions.CountersFile(run.Data) + ".new", "x", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(RelayOptions.LoginProtectionFile(run.Data), "y", TestContext.Current.CancellationToken);

        var to = Path.Combine(run.Root, "monday");
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("backup", to)).ExitCode);

        var data = Path.Combine(to, "data");
        Assert.Equal("y", await File.ReadAllTextAsync(RelayOptions.LoginProtectionFile(data), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(data, "*.new"));
        using var restored = LocalCounters.Open(RelayOptions.CountersFile(data), NoAuditLog.Instance, TimeProvider.System);
        Assert.Equal(4, (await restored.PeekAsync(key, limit, cost: 1, TestContext.Current.CancellationToken)).Used);
    }

    [Fact]
    public async Task Without_a_data_directory_there_is_nothing_to_back_up()
    {
        using var run = new CommandRun();
        var result = await run.PosternAsync("backup", Path.Combine(run.Root, "monday"));
        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Contains("there is no data directory", result.Error, StringComparison.Ordinal);
    }
}
