using System.ComponentModel;
using System.Globalization;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>A disk without room: 452 4.3.1, nothing half stored, nothing lost, and mail again as soon as there is room.</summary>
[Collection(nameof(ProcessTests))]
public sealed class FullDiskIsTemporaryTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("tmpfs")]
    [InlineData("ext4")]
    public async Task A_full_disk_refuses_for_now_keeps_what_it_has_and_recovers_by_itself(string kind)
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration());
        await using var disk = await SmallDisk.MountAsync(home.Data, megabytes: 24, kind);
        await home.AddDirectoryAsync();
        var accepted = new List<string>();
        await using (var server = await home.ServeAsync())
        {
            accepted.Add(await UntilAsync(server, "250"));
            disk.Fill();
            while (await SendAsync(server) is var reply && !reply.StartsWith("452 4.3.1", StringComparison.Ordinal))
            {
                // There was room for it in a segment that was made before.
                Assert.StartsWith("250", reply, StringComparison.Ordinal);
                accepted.Add(reply);
            }

            disk.Free();
            var begun = TimeProvider.System.GetTimestamp();
            accepted.Add(await UntilAsync(server, "250"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"mail again {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0.0} s after there was room"));
            Assert.Equal(0, await server.StopAsync());
        }

        await AssertQueueAsync(home, accepted);
    }

    [Fact]
    public async Task A_message_larger_than_the_disk_is_452_at_its_end_and_leaves_no_trace()
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration());
        await using var disk = await SmallDisk.MountAsync(home.Data, megabytes: 24);
        await home.AddDirectoryAsync();
        var accepted = new List<string>();
        await using (var server = await home.ServeAsync())
        {
            accepted.Add(await UntilAsync(server, "250"));
            await using (var dialogue = await LogInAsync(server))
            {
                await dialogue.BeginDataAsync(PosternHome.User, "bart@example.net");
                await dialogue.WriteAsync("Subject: too much\r\n\r\n");
                await dialogue.FillAsync(40_000_000);
                await dialogue.SayAsync(".", "452 4.3.1");
            }

            accepted.Add(await UntilAsync(server, "250"));
            Assert.Equal(0, await server.StopAsync());
        }

        await AssertQueueAsync(home, accepted);
    }

    private static async Task AssertQueueAsync(PosternHome home, List<string> accepted)
    {
        await using var again = await home.ServeAsync();
        var queue = await home.JsonAsync("queue", "list", "--limit", "100000");
        var ids = queue.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("id").GetString());
        Assert.Equal(accepted.Select(static reply => reply.Split(' ')[^1]).Order(StringComparer.Ordinal), ids.Order(StringComparer.Ordinal));
    }

    private static async Task<string> UntilAsync(PosternProcess server, string wanted)
    {
        for (var tries = 0; tries < 600; tries++)
        {
            if (await SendAsync(server) is var reply && reply.StartsWith(wanted, StringComparison.Ordinal))
                return reply;
            Assert.StartsWith("452 4.3.1", reply, StringComparison.Ordinal);
            await Task.Delay(50, ProcessTests.Stop);
        }

        throw new TimeoutException($"never {wanted}");
    }

    /// <summary>The last reply: at DATA, or behind the final dot.</summary>
    private static async Task<string> SendAsync(PosternProcess server)
    {
        await using var dialogue = await LogInAsync(server);
        await dialogue.SayAsync($"MAIL FROM:<{PosternHome.User}>", "250");
        await dialogue.SayAsync("RCPT TO:<bart@example.net>", "250");
        var reply = await dialogue.AskAsync("DATA");
        if (!reply.StartsWith("354", StringComparison.Ordinal))
            return reply;
        await dialogue.WriteAsync("Subject: x\r\n\r\n");
        await dialogue.FillAsync(20_000);
        return await dialogue.AskAsync(".");
    }

    private static async Task<SmtpDialogue> LogInAsync(PosternProcess server)
    {
        var dialogue = await SmtpDialogue.GreetAsync(server["plain"]);
        await dialogue.LogInAsync(PosternHome.User, PosternHome.Password);
        return dialogue;
    }

    /// <summary>A file system in memory, or in a file (which delays what it allocates), as root can mount them.</summary>
    private sealed class SmallDisk(string path) : IAsyncDisposable
    {
        private string Ballast => Path.Combine(path, "ballast");

        public static async Task<SmallDisk> MountAsync(string path, int megabytes, string kind = "tmpfs")
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount a small file system");
            Directory.CreateDirectory(path);
            var size = string.Create(CultureInfo.InvariantCulture, $"{megabytes}m");
            if (kind == "tmpfs")
            {
                await RunAsync("mount", "-t", kind, "-o", $"size={size},mode=700", kind, path);
            }
            else
            {
                var image = path + ".image";
                await RunAsync($"mkfs.{kind}", "-q", "-m", "0", image, size);
                await RunAsync("mount", "-t", kind, "-o", "loop", image, path);
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return new SmallDisk(path);
        }

        private static async Task RunAsync(params string[] command)
        {
            try
            {
                var run = await RunningProgram.RunAsync(command);
                Assert.SkipUnless(run.ExitCode == 0, $"a file system cannot be mounted here: {run.Error}");
            }
            catch (Win32Exception)
            {
                Assert.Skip($"{command[0]} is not installed");
            }
        }

        /// <summary>Takes all the room there is.</summary>
        public void Fill()
        {
            var block = new byte[64 * 1024];
            using var file = new FileStream(Ballast, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1);
            try
            {
                while (true)
                {
                    file.Write(block);
                    file.Flush(flushToDisk: true);
                }
            }
            catch (IOException)
            {
                // Full: what was wanted.
            }
        }

        public void Free() => File.Delete(Ballast);

        public async ValueTask DisposeAsync() => Assert.Equal(0, (await RunningProgram.RunAsync(["umount", "--lazy", path])).ExitCode);
    }
}
