using System.Collections.Concurrent;
using System.Globalization;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Tests.Process;

/// <summary><c>postern sendmail</c>, whether the server runs or not, and however it ends.</summary>
[Collection(nameof(ProcessTests))]
public sealed class MailOfThisMachineTests
{
    private const int Messages = 40;
    private const int Kills = 3;

    [Fact]
    public async Task Mail_left_without_a_server_arrives_however_often_the_server_is_killed_while_it_takes_it_up()
    {
        var copies = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        await using var sink = new ScriptedSink(new SinkOptions { Taken = message => copies.AddOrUpdate(message.Recipients[0], 1, static (_, n) => n + 1) });
        using var home = await ProcessTests.HomeAsync(sink.Port);
        var drop = Path.Combine(home.Data, "drop");
        // One by the command, which makes the directory; the others are copies under other names.
        var first = await home.RunWithInputAsync("Subject: of cron\n\nall well\n", "sendmail", "-i", "r000@example.net");
        Assert.True(first.ExitCode == 0, first.Error);
        var text = await File.ReadAllTextAsync(Directory.GetFiles(drop, "new-*").Single(), ProcessTests.Stop);
        for (var i = 1; i < Messages; i++)
            await File.WriteAllTextAsync(
                Path.Combine(drop, $"new-01M8MJFTJ6BJ585N4VFW5V{i.ToString("D4", CultureInfo.InvariantCulture)}"),
                text.Replace("r000@", $"r{i.ToString("D3", CultureInfo.InvariantCulture)}@", StringComparison.Ordinal),
                ProcessTests.Stop);

        for (var kill = 0; kill < Kills; kill++)
        {
            await using var doomed = await home.ServeAsync();
            await Task.Delay(Random.Shared.Next(0, 120), ProcessTests.Stop);
            await doomed.KillAsync();
        }

        await using var server = await home.ServeAsync();
        await server.UntilAsync(_ => copies.Count == Messages && Directory.GetFiles(Path.Combine(drop, "taken")).Length == 0, ProcessTests.Stop);
        var twice = copies.Values.Sum(static n => n - 1);
        // For each kill: those that were being taken up, and those whose delivery was not written down.
        Assert.InRange(twice, 0, Kills * (4 + 40));
        var accepted = (await home.JsonAsync("log", "mail", "--outcome", "accepted", "--login", Environment.UserName, "--limit", "1")).EnumerateArray().Single();
        Assert.Equal(("sendmail", "accepted"), (accepted.GetProperty("listener").GetString(), accepted.GetProperty("event").GetString()));
    }

    [Fact]
    public async Task A_link_called_sendmail_is_sendmail()
    {
        using var home = await ProcessTests.HomeAsync();
        var link = Path.Combine(home.Root, "sendmail");
        File.CreateSymbolicLink(link, Path.ChangeExtension(ProcessTests.Dll, null));
        var run = await RunningProgram.RunAsync([link, "-t", "--config", home.ConfigFile], home.Root, "To: root\n\nhi\n");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("to\troot@mail.example.org\t", await File.ReadAllTextAsync(Directory.GetFiles(Path.Combine(home.Data, "drop"), "new-*").Single(), ProcessTests.Stop), StringComparison.Ordinal);
        Assert.Equal(64, (await RunningProgram.RunAsync([link, "--config", home.ConfigFile], home.Root)).ExitCode);
    }

    [Theory]
    [InlineData("data", "root and root alone", "install -d -o root -g $(id -gn root) -m 3733 /var/spool/postern, and sendmail.drop: /var/spool/postern")]
    [InlineData("drop", "cannot reach the drop directory", "sendmail.drop")]
    public async Task Another_user_who_may_not_leave_mail_is_told_what_root_can_do(string at, string what, string todo)
    {
        using var home = await ProcessTests.HomeAsync(more: at == "drop" ? "sendmail: { drop: closed/drop }" : string.Empty);
        await OtherUser.SkipUnlessAsync(["true"]);
        Directory.CreateDirectory(home.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(home.Root, "closed"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var refused = await OtherUser.RunAsync(home, "sendmail", "-i", "bart@example.net");
        Assert.Equal(77, refused.ExitCode);
        Assert.Contains(what, refused.Error, StringComparison.Ordinal);
        Assert.Contains(todo, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("nobody -m", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_user_leaves_mail_that_is_known_as_its_own_whatever_it_says()
    {
        using var home = await ProcessTests.HomeAsync(more: "sendmail: { drop: drop }");
        await OtherUser.SkipUnlessAsync(["true"]);
        var drop = Path.Combine(home.Root, "drop");
        Directory.CreateDirectory(drop);
        File.SetUnixFileMode(drop, (UnixFileMode)0b11_111_011_011);

        var said = await OtherUser.RunAsync(home, "sendmail", "-bs");
        Assert.Equal(0, said.ExitCode);
        Assert.StartsWith("220 mail.example.org ", said.Output, StringComparison.Ordinal);
        var left = await OtherUser.RunAsync(home, "sendmail", "-i", "-f", "lisa@example.org", "bart@example.net");
        Assert.True(left.ExitCode == 0, left.Error);
        var file = Directory.GetFiles(drop, "new-*").Single();
        // It may change its own file, and claim to be another there.
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file, ProcessTests.Stop)).Replace("from\t", "user\troot\nfrom\t", StringComparison.Ordinal), ProcessTests.Stop);

        await using var server = await home.ServeAsync();
        await server.UntilAsync(static status => status.GetProperty("queue").GetProperty("messages").GetInt32() == 1, ProcessTests.Stop);
        var item = (await home.JsonAsync("queue", "list")).GetProperty("items")[0];
        Assert.Equal(("nobody", "lisa@example.org"), (item.GetProperty("login").GetString(), item.GetProperty("sender").GetString()));
    }
}
