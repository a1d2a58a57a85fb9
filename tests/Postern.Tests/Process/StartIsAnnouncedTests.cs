using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>What an operator sees of a start.</summary>
[Collection(nameof(ProcessTests))]
public sealed class StartIsAnnouncedTests
{
    [Fact]
    public async Task A_server_greets_answers_status_and_stops_cleanly_at_a_signal()
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration());
        await using (var server = await home.ServeAsync())
        {
            await server.Error.FindAsync(static line => line.Contains("HELD", StringComparison.Ordinal));
            Assert.Contains("made a self-signed certificate for mail.example.org", server.Error.Text, StringComparison.Ordinal);
            var status = await home.JsonAsync("status");
            Assert.Equal(["plain", "submission", "submissions"], status.GetProperty("listeners").EnumerateArray().Select(static l => l.GetProperty("name").GetString()));
            Assert.True(status.GetProperty("certificate").GetProperty("isSelfSigned").GetBoolean());
            foreach (var listener in status.GetProperty("listeners").EnumerateArray().Take(2))
            {
                await using var dialogue = await SmtpDialogue.OpenAsync(IPEndPoint.Parse(listener.GetProperty("address").GetString()!));
                Assert.Equal("220 mail.example.org ESMTP Postern", await dialogue.ReadReplyAsync());
            }

            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(home.Data, "key.pem")));
            Assert.Equal(0, await server.StopAsync());
        }

        Assert.Equal(1, (await home.RunAsync("status")).ExitCode);
        Assert.False(File.Exists(Path.Combine(home.Data, "control.sock")));
        var events = (await home.JsonAsync("log", "server")).EnumerateArray().Select(static e => e.GetProperty("what").GetString());
        Assert.Equal(["spool_opened", "started", "stopping", "stopped"], events);
    }

    [Fact]
    public async Task The_made_certificate_stays_the_same_at_the_next_start()
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration());
        await using (var first = await home.ServeAsync())
            await first.StopAsync();
        var certificate = Path.Combine(home.Data, "certificate.pem");
        var made = await File.ReadAllTextAsync(certificate, ProcessTests.Stop);

        await using var second = await home.ServeAsync();

        Assert.DoesNotContain("made a self-signed", second.Error.Text, StringComparison.Ordinal);
        Assert.Equal(made, await File.ReadAllTextAsync(certificate, ProcessTests.Stop));
    }

    /// <summary>sd_notify(3), as with Type=notify and WatchdogSec=.</summary>
    [Fact]
    public async Task Systemd_is_told_when_the_server_listens_reloads_and_stops_and_that_it_runs()
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration());
        var path = Path.Combine(home.Root, "notify.sock");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        await using var server = await home.ServeAsync(environment: new Dictionary<string, string>(StringComparer.Ordinal) { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "400000" });
        await HearAsync(systemd, "READY=1");
        await HearAsync(systemd, "WATCHDOG=1");
        server.SendHangUp();
        await HearAsync(systemd, "RELOADING=1\nMONOTONIC_USEC=");
        await HearAsync(systemd, "READY=1");
        server.SendTerminate();
        await HearAsync(systemd, "STOPPING=1");
        Assert.Equal(0, await server.WaitAsync());
    }

    private static async Task HearAsync(Socket systemd, string state)
    {
        var message = new byte[256];
        string heard;
        do
            heard = Encoding.UTF8.GetString(message, 0, await systemd.ReceiveAsync(message, SocketFlags.None, ProcessTests.Stop));
        while (!heard.StartsWith(state, StringComparison.Ordinal));
    }
}
