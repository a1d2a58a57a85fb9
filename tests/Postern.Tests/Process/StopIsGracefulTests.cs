using System.Net.Sockets;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>SIGTERM: who is in the middle of a message may finish it, who is not is told 421.</summary>
[Collection(nameof(ProcessTests))]
public sealed class StopIsGracefulTests
{
    [Fact]
    public async Task A_message_that_is_being_received_is_finished_and_quiet_clients_are_told_421()
    {
        using var home = await ProcessTests.HomeAsync();
        await using (var server = await home.ServeAsync())
        {
            await using var sending = await SendingAsync(server);
            await using var quiet = await SmtpDialogue.GreetAsync(server["plain"]);
            await using var secured = await SmtpDialogue.GreetAsync(server["submissions"], implicitTls: true);

            server.SendTerminate();
            await quiet.ExpectAsync("421 4.3.2");
            await secured.ExpectAsync("421 4.3.2");
            Assert.Equal(string.Empty, await quiet.ReadToEndAsync());
            await Assert.ThrowsAnyAsync<SocketException>(() => SmtpDialogue.OpenAsync(server["plain"]));
            Assert.False(server.HasExited);

            await sending.WriteAsync("and ends after it\r\n");
            await sending.SayAsync(".", "250 2.0.0 Queued as ");
            Assert.Equal(0, await server.WaitAsync());
        }

        var queue = await home.JsonAsync("queue", "list");
        Assert.Equal(1, queue.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_second_signal_stops_at_once_and_what_was_not_finished_is_not_queued()
    {
        using var home = await ProcessTests.HomeAsync();
        await using (var server = await home.ServeAsync())
        {
            await using var sending = await SendingAsync(server);
            server.SendTerminate();
            await server.Error.FindAsync(static line => line.StartsWith("stopping", StringComparison.Ordinal));

            server.SendTerminate();

            await sending.ExpectAsync("421 4.3.2");
            Assert.Equal(0, await server.WaitAsync());
        }

        var queue = await home.JsonAsync("queue", "list");
        Assert.Equal(0, queue.GetProperty("total").GetInt32());
    }

    private static async Task<SmtpDialogue> SendingAsync(PosternProcess server)
    {
        var sending = await SmtpDialogue.GreetAsync(server["plain"]);
        await sending.LogInAsync(PosternHome.User, PosternHome.Password);
        await sending.BeginDataAsync(PosternHome.User, "bart@example.net");
        await sending.WriteAsync("Subject: x\r\n\r\nIt begins before the signal\r\n");
        return sending;
    }
}
