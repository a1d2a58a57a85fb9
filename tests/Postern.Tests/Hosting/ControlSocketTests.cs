using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Spool;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

public sealed class ControlSocketTests
{
    [Fact]
    public async Task The_socket_is_for_its_owner_and_group()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(server.Socket));
    }

    [Theory]
    [InlineData("\u0000\u0001\u0002\r\n\r\n", "400")]
    [InlineData("EHLO example.org\r\n\r\n", "400")]
    [InlineData("GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200")]
    [InlineData("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /api/v1/queue/../../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404")]
    [InlineData("GET /api/v1/queue?limit=-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("DELETE /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "405")]
    [InlineData("POST /api/v1/queue/changes HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "415")]
    [InlineData("POST /api/v1/queue/changes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{", "400")]
    [InlineData("POST /api/v1/queue/changes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnull", "400")]
    [InlineData("POST /api/v1/queue/changes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "400")]
    [InlineData("POST /api/v1/queue/changes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 34\r\n\r\n{\"action\":\"explode\",\"filter\":null} ", "400")]
    [InlineData("POST /api/v1/queue/changes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n", "413")]
    public async Task Whatever_is_sent_is_answered_and_the_next_caller_is_served(string sent, string status)
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);

        var answer = await SayAsync(server.Socket, Encoding.Latin1.GetBytes(sent));

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Equal(0, (await run.PosternAsync("status")).ExitCode);
    }

    [Fact]
    public async Task Garbage_of_any_kind_does_not_end_the_server()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);

        for (var length = 1; length < 200_000; length *= 11)
            await SayAsync(server.Socket, RandomNumberGenerator.GetBytes(length), isLast: true);

        Assert.Equal(0, (await run.PosternAsync("status")).ExitCode);
    }

    [Fact]
    public async Task A_socket_that_a_killed_server_left_is_no_server()
    {
        using var run = new CommandRun();
        Directory.CreateDirectory(run.Data);
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            left.Bind(new UnixDomainSocketEndPoint(DataDirectory.ControlSocket(run.Data)));

        Assert.Null(await ControlClient.ConnectAsync(DataDirectory.ControlSocket(run.Data), TestContext.Current.CancellationToken));
        var status = await run.PosternAsync("status");
        Assert.Equal((1, $"postern: no server is running on {run.Data}\n  Start it: postern serve\n"), (status.ExitCode, status.Error));

        await using var server = await RunningServer.StartAsync(run.Data);
        Assert.Equal(0, (await run.PosternAsync("status")).ExitCode);
    }

    [Fact]
    public async Task Status_says_where_mail_waits_for_a_connection_and_why()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);

        var status = await run.PosternAsync("status");

        Assert.Contains("waits there.test", status.Output, StringComparison.Ordinal);
        Assert.Contains("7 transactions: [192.0.2.1]:25 has one connection at most and a pause of 4 s, as it said: 421 4.7.0 Later", string.Join(' ', status.Output.Split((char[])[' ', '\n', '│', '|'], StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_kernel_says_who_changed_the_queue()
    {
        using var run = new CommandRun();
        await using var server = await RunningServer.StartAsync(run.Data);
        var id = await server.Spool.AddAsync("a@example.org", ["b@example.net"]);
        await using var client = Assert.IsType<ControlClient>(await ControlClient.ConnectAsync(server.Socket, TestContext.Current.CancellationToken));

        await client.ApplyAsync(QueueAction.Hold, QueueFilter.Everything, with: null, TestContext.Current.CancellationToken);

        var change = Assert.IsType<AdminEvent>(Assert.Single(server.Events.All));
        Assert.Matches("^uid [0-9]+$", change.Actor);
        Assert.Equal(("queue hold", id.ToString(), AdminDoor.Socket), (change.Action, change.Target, change.Via));
        Assert.Equal([new AdminChange("held", "false", "true")], change.Changes);
    }

    [Fact]
    public void A_path_that_is_too_long_for_a_socket_is_said_before() =>
        Assert.NotNull(ControlServer.WhyNot(DataDirectory.ControlSocket($"/{new string('d', 100)}")));

    /// <param name="isLast">Nothing follows: the server need not wait for the rest of a request.</param>
    private static async Task<string> SayAsync(string path, byte[] octets, bool isLast = false)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(socket);
        try
        {
            await stream.WriteAsync(octets, TestContext.Current.CancellationToken);
            if (isLast)
                socket.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // It was cut off in the middle: also an answer.
            return string.Empty;
        }
    }
}
