using System.Globalization;
using System.Text.RegularExpressions;
using Postern.Commands;
using Postern.Commands.Output;
using Postern.Machine;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>Root types a command on the data of the user that the server runs as, who may have laid traps there.</summary>
public sealed partial class RootWorksAsTheOwnerTests
{
    private const uint Nobody = 65534;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Row_140_root_in_the_service_users_directory_writes_through_no_link_and_leaves_nothing_of_its_own()
    {
        using var home = await OfNobodyAsync();
        var ours = Path.Combine(home.Root, "of-root");
        await File.WriteAllTextAsync(ours, "kept\n", Ct);
        File.SetUnixFileMode(ours, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.CreateDirectory(home.Logs);
        File.CreateSymbolicLink(Path.Combine(home.Logs, $"admin-{TimeProvider.System.GetUtcNow():yyyy-MM-dd}.jsonl"), ours);
        File.CreateSymbolicLink(home.DirectoryFile, ours);
        await OtherUser.OwnAsync(home.Data);

        var add = await home.RunAsync("account", "add", "lisa@example.org");

        Assert.NotEqual(0, add.ExitCode);
        File.Delete(home.DirectoryFile);
        Assert.Equal(0, (await home.RunAsync("account", "add", "lisa@example.org")).ExitCode);
        Assert.Equal("kept\n", await File.ReadAllTextAsync(ours, Ct));
        Assert.Equal(0u, UserIdentity.Look(ours)!.Value.User);
        Assert.All(Directory.EnumerateFileSystemEntries(home.Data, "*", SearchOption.AllDirectories), static path => Assert.Equal(Nobody, UserIdentity.Look(path)!.Value.User));
    }

    [Fact]
    public async Task Row_141_what_root_does_is_written_down_as_roots_in_a_file_that_the_server_can_go_on_with()
    {
        using var home = await OfNobodyAsync();
        Assert.Equal(0, (await home.RunAsync("account", "add", "lisa@example.org")).ExitCode);

        Assert.Equal(Nobody, UserIdentity.Look(Directory.GetFiles(home.Logs, "admin-*").Single())!.Value.User);
        Assert.Equal(Environment.UserName, (await home.JsonAsync("log", "admin"))[0].GetProperty("actor").GetString());
    }

    [Fact]
    public async Task Row_142_every_thread_of_the_command_is_the_owners_for_good()
    {
        using var home = await OfNobodyAsync();
        Directory.CreateDirectory(home.Logs);
        await OtherUser.OwnAsync(home.Data);
        await using var follow = RunningProgram.Start(
            [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", "exec", ProcessTests.Dll, "log", "server", "--follow", "--json", "--config", home.ConfigFile], home.Root);
        var line = "{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"server\",\"what\":\"seen\",\"detail\":\"\"}\n";
        for (var day = 1; !follow.Output.Lines.Any(); day++)
        {
            await File.WriteAllTextAsync(Path.Combine(home.Logs, string.Create(CultureInfo.InvariantCulture, $"server-{2026 + day}-01-01.jsonl")), line, Ct);
            await Task.WhenAny(follow.Output.FindAsync(static _ => true), Task.Delay(TimeSpan.FromMilliseconds(200), Ct));
        }

        var users = Directory.GetDirectories($"/proc/{follow.Id}/task").SelectMany(static task => Identity().Matches(File.ReadAllText(Path.Combine(task, "status"))).Select(static m => m.Value)).Distinct();
        Assert.Equal(["Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534"], users);
    }

    [Fact]
    public async Task Row_143_root_does_not_serve_from_the_directory_of_another()
    {
        using var home = await OfNobodyAsync();
        var serve = await home.RunAsync("serve");
        Assert.Equal(2, serve.ExitCode);
        Assert.Matches("the data directory .* belongs to .*, and this is root", serve.Error);
        Assert.Empty(Directory.GetFileSystemEntries(home.Data));
    }

    [Fact]
    public async Task Row_144_a_link_on_the_way_or_a_directory_that_others_may_write_is_seen()
    {
        Assert.SkipUnless(UserIdentity.IsRoot, "only root can give a directory away");
        using var home = new PosternHome(ProcessTests.Dll, "server: { data: data }\n");
        var theirs = Directory.CreateDirectory(Path.Combine(home.Root, "theirs")).FullName;
        var below = Directory.CreateDirectory(Path.Combine(theirs, "of-root")).FullName;
        File.CreateSymbolicLink(Path.Combine(home.Root, "link"), "theirs/../theirs/of-root");
        UserIdentity.Give(MakeFile(home, "file"), Nobody, Nobody);
        await OtherUser.OwnAsync(theirs);
        await RunningProgram.RunAsync(["chown", "0", below]);

        Assert.Equal(Nobody, DirectoryOwner.RulerOf(below).User);
        Assert.Equal(Nobody, DirectoryOwner.RulerOf(Path.Combine(home.Root, "link")).User);
        Assert.Equal(Nobody, DirectoryOwner.RulerOf(Path.Combine(below, "not", "there")).User);
        Assert.Equal(0u, DirectoryOwner.RulerOf(Path.Combine(home.Root, "not", "there")).User);
        File.SetUnixFileMode(home.Root, File.GetUnixFileMode(home.Root) | UnixFileMode.OtherWrite);
        Assert.NotNull(DirectoryOwner.Become(Path.Combine(home.Root, "data")));
    }

    [Fact]
    public async Task Row_145_a_file_is_given_away_by_its_descriptor_and_only_the_one_that_was_made()
    {
        Assert.SkipUnless(UserIdentity.IsRoot, "only root can give a file away");
        using var home = new PosternHome(ProcessTests.Dll, string.Empty);
        var ours = MakeFile(home, "ours");
        var link = Path.Combine(home.Root, "link");
        File.CreateSymbolicLink(link, ours);
        Assert.Throws<IOException>(() => UserIdentity.Give(link, Nobody, Nobody));
        Assert.Equal(0, (await RunningProgram.RunAsync(["ln", ours, Path.Combine(home.Root, "second")])).ExitCode);
        Assert.Throws<IOException>(() => UserIdentity.Give(ours, Nobody, Nobody));
        Assert.Equal(0u, UserIdentity.Look(ours)!.Value.User);
    }

    [Fact]
    public void Row_145_no_owner_is_changed_by_a_path_anywhere() =>
        Assert.Empty(Directory.EnumerateFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => ByPath().IsMatch(File.ReadAllText(file)))
            .Select(Path.GetFileName));

    /// <summary>Each command of the whole command line, but for those that make no file: a new one has to be put into one of the two lists.</summary>
    [Fact]
    public async Task Whatever_root_types_leaves_nothing_of_roots_in_the_service_users_directory_and_its_events_are_kept()
    {
        string[] makesNothing =
        [
            "serve", "reload", "check", "try", "hash", "explain", "policy diff", "status", "completion bash", "completion fish", "completion zsh", "completion", "init",
            "session list", "session end", "auth blocks", "auth lift", "auth test", "auth watch", "account list", "account show", "credential list", "domain list", "domain show", "network list",
            "queue list", "queue show", "queue retry", "queue hold", "queue release", "log auth", "log mail", "log policy", "log admin", "log server", "limits raise", "limits undo", "suspend list", "logins watched", "logins forgive", "suspend account", "suspend credential", "suspend tenant", "resume account", "resume credential", "resume tenant",
            "queue stats", "dkim list", "dkim dns", "dkim check", "domain check", "tls check", "shaping explain", "suppression list", "operator list", "key list",
        ];
        using var home = await OfNobodyAsync();
        var passwords = Path.Combine(home.Data, "passwd");
        (string Command, string[] More)[] made =
        [
            ("account add", ["lisa@example.org"]), ("credential add", ["lisa@example.org", "--generate"]), ("account grant", ["lisa@example.org", "--address", "x@example.org"]),
            ("domain add", ["example.net"]), ("network add", ["192.0.2.0/24", "--domain", "example.net"]), ("passwd", [passwords, "maggie@example.org", "--generate"]),
            ("account disable", ["lisa@example.org"]), ("account remove", ["lisa@example.org"]), ("queue remove", ["--all", "--yes"]),
            ("dkim create", ["example.net"]), ("suppression add", ["gone@example.com"]), ("queue suspend", ["example.com"]),
            ("operator invite", []), ("key add", ["grafana", "--scope", "metrics.read"]),
        ];
        foreach (var (command, more) in made)
        {
            var run = await home.RunAsync([.. command.Split(' '), .. more]);
            Assert.True(run.ExitCode == 0 || command == "queue remove", $"{command}: {run.Error}");
        }

        Assert.All(Directory.EnumerateFileSystemEntries(home.Data, "*", SearchOption.AllDirectories), static path => Assert.Equal((path, Nobody), (path, UserIdentity.Look(path)!.Value.User)));
        var events = (await home.JsonAsync("log", "admin")).EnumerateArray().Select(static e => e.GetProperty("action").GetString()!).ToList();
        Assert.All(made.Where(static m => m.Command is not ("passwd" or "queue remove")), m => Assert.Contains(m.Command, events));

        // Their siblings do the same by the same code; backup, export and import say by themselves where they write.
        string[] likeThose = ["account enable", "account revoke", "credential revoke", "credential replace", "credential limit", "domain remove", "network remove", "backup", "queue export", "account import", "oauth login",
            "dkim rotate", "dkim activate", "dkim retire", "dkim remove", "suppression remove", "suppression intake",
            "queue resume", "queue bounce", "queue reroute", "queue redirect", "queue undo", "queue resend", "log content",
            "operator reset", "operator role", "operator disable", "operator enable", "operator remove", "key remove"];
        var all = Leaves(PosternCommands.Create(new CommandContext(new Terminal(TextWriter.Null, TextWriter.Null, TextReader.Null, isInteractive: false, canAsk: false), TimeProvider.System)), string.Empty);
        // The owner of a file in the drop directory is who sent it.
        string[] onPurpose = ["sendmail"];
        Assert.Empty(all.Except([.. makesNothing, .. likeThose, .. onPurpose, .. made.Select(static m => m.Command)], StringComparer.Ordinal));
    }

    private static IEnumerable<string> Leaves(System.CommandLine.Command command, string path) =>
        command.Subcommands.Count == 0 ? [path] : command.Subcommands.SelectMany(child => Leaves(child, path.Length == 0 ? child.Name : $"{path} {child.Name}"));

    private static string MakeFile(PosternHome home, string name)
    {
        var path = Path.Combine(home.Root, name);
        File.WriteAllText(path, "x\n");
        return path;
    }

    /// <summary>An empty data directory of a user that is not root, where it can be entered.</summary>
    private static async Task<PosternHome> OfNobodyAsync()
    {
        var home = new PosternHome(ProcessTests.Dll, "server: { hostname: mail.example.org, data: data }\nlisteners: [ { name: in, listen: [\"127.0.0.1:0\"], tls: none } ]\n");
        Directory.CreateDirectory(home.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await OtherUser.OwnAsync(home.Data);
        File.SetUnixFileMode(home.Root, File.GetUnixFileMode(home.Root) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        return home;
    }

    [GeneratedRegex("^[UG]id:\t.*$", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Identity();

    [GeneratedRegex("[^f]chown(at)?[(\"]", RegexOptions.NonBacktracking)]
    private static partial Regex ByPath();
}
