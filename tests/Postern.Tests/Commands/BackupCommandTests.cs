using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Postern.Commands.Output;
using Postern.Hosting.Drop;
using Postern.Machine;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

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

    /// <summary>Whatever the server keeps somewhere in its directory is in the copy, or is left out on purpose.</summary>
    [Fact]
    public async Task All_that_a_server_keeps_has_a_place_in_the_backup()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        string[] onPurpose = [nameof(RelayOptions.DefaultLogDirectory), nameof(RelayOptions.KeptDirectory)];
        var places = typeof(RelayOptions).GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Where(m => m.GetParameters() is [{ Name: "dataDirectory" }] && !onPurpose.Contains(m.Name))
            .SelectMany(m => m.Invoke(null, [run.Data]) switch { string path => [path], ITuple many => Enumerable.Range(0, many.Length).Select(i => (string)many[i]!), _ => [] })
            .Where(path => path != RelayOptions.SpoolDirectory(run.Data) && path != RelayOptions.DirectoryFile(run.Data))
            .ToList();
        foreach (var place in places)
        {
            var file = place.EndsWith("oauth", StringComparison.Ordinal) || place.EndsWith("mta-sts", StringComparison.Ordinal) || place.EndsWith("tls-reports", StringComparison.Ordinal) ? Path.Combine(place, "one") : place;
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, place, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(file + ".next", "in the making", TestContext.Current.CancellationToken);
        }

        var to = Path.Combine(run.Root, "monday");
        Assert.Equal(ExitCode.Ok, (await run.PosternAsync("backup", to)).ExitCode);

        Assert.Contains(places, static place => place.EndsWith("mta-sts", StringComparison.Ordinal));
        Assert.Equal(
            places.Order(StringComparer.Ordinal),
            Directory.GetFiles(Path.Combine(to, "data"), "*", SearchOption.AllDirectories).Where(static f => !f.EndsWith(".db", StringComparison.Ordinal)).Select(static f => File.ReadAllText(f)).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows())
            Assert.All(Directory.GetDirectories(to, "*", SearchOption.AllDirectories), static d => Assert.Equal("700", Convert.ToString((int)File.GetUnixFileMode(d), 8)));
    }

    [Fact]
    public async Task What_waits_in_the_drop_directory_is_copied_with_the_user_who_left_it()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        var drop = new DropDirectory(Path.Combine(run.Data, "drop"));
        Assert.Null(drop.Prepare(isForAll: false));
        await DropAsync(drop.Path, user: null, "of the owner");
        await DropAsync(drop.Taken, "alice", "of alice");
        await File.WriteAllTextAsync(Path.Combine(drop.Path, "new-garbage"), "no message", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(drop.Aside, "new-odd"), "put aside", TestContext.Current.CancellationToken);

        var to = Path.Combine(run.Root, "monday");
        Assert.Equal(2, (await run.JsonAsync("backup", to)).GetProperty("dropped").GetInt32());
        Assert.Equal(0, (await run.JsonAsync("backup", Path.Combine(run.Root, "accounts"), "--without-queue")).GetProperty("dropped").GetInt32());

        var copy = Path.Combine(to, "data", "drop");
        Assert.Equal([("alice", "of alice"), (UserIdentity.Current, "of the owner")], Directory.GetFiles(copy).Select(Read).OrderBy(static m => m.Content, StringComparer.Ordinal));
        Assert.Equal("put aside", await File.ReadAllTextAsync(Path.Combine(copy, "aside", "new-odd"), TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(Path.Combine(run.Root, "accounts", "data", "drop")));
    }

    [Fact]
    public async Task Kept_content_is_in_the_backup_where_it_is_asked_for_and_under_the_name_that_says_until_when()
    {
        using var run = new CommandRun();
        await run.PosternAsync("account", "add", "lisa@example.org");
        var kept = Path.Combine(RelayOptions.KeptDirectory(run.Data), "2024-11-18T21", "01JD0K3ZQ8Y6X5V4T3S2R1P0NM.1796083200000");
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        await File.WriteAllTextAsync(kept, "content", TestContext.Current.CancellationToken);

        var (without, with) = (await run.JsonAsync("backup", Path.Combine(run.Root, "without")), await run.JsonAsync("backup", Path.Combine(run.Root, "with"), "--with-kept", "--without-queue"));

        Assert.Equal((JsonValueKind.Null, 1), (without.GetProperty("kept").ValueKind, with.GetProperty("kept").GetInt32()));
        Assert.False(Directory.Exists(Path.Combine(run.Root, "without", "data", "kept")));
        Assert.Equal("content", await File.ReadAllTextAsync(kept.Replace(run.Data, Path.Combine(run.Root, "with", "data"), StringComparison.Ordinal), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Without_a_data_directory_there_is_nothing_to_back_up()
    {
        using var run = new CommandRun();
        var result = await run.PosternAsync("backup", Path.Combine(run.Root, "monday"));
        Assert.Equal(ExitCode.No, result.ExitCode);
        Assert.Contains("there is no data directory", result.Error, StringComparison.Ordinal);
    }

    private static async Task DropAsync(string directory, string? user, string content)
    {
        var envelope = new SmtpEnvelope(ReversePath.Null, [Mailbox.Parse("bart@example.net")]);
        await using var writer = DropWriter.Begin(directory, envelope, user, TimeProvider.System);
        await writer.AppendAsync(Encoding.UTF8.GetBytes(content), TestContext.Current.CancellationToken);
        await writer.CommitAsync(TestContext.Current.CancellationToken);
    }

    private static (string? User, string Content) Read(string path)
    {
        using var file = File.OpenHandle(path);
        Assert.True(DropFile.TryRead(file, out var dropped, out var whyNot), whyNot);
        return (dropped.User, File.ReadAllText(path)[(int)dropped.ContentAt..]);
    }
}
