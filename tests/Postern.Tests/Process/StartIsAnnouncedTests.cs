using System.Net;
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
}
