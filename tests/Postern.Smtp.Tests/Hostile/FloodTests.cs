using System.Net;
using System.Text;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Hostile;

/// <summary>Too much of anything, and clients that go in the middle: bounded replies, nothing left behind.</summary>
public sealed class FloodTests
{
    [Theory]
    [InlineData("XYZZY garbage\r\n", 20)]
    [InlineData("MAIL FROM:<<>>\r\n", 20)]
    [InlineData("VRFY postmaster\r\n", 6_001)]
    [InlineData("NOOP\r\n", 6_001)]
    public async Task Row_88_a_hundred_thousand_commands_in_one_go_get_few_replies_and_an_end(string line, int most)
    {
        await using var server = TestServer.Start();
        await using var client = await server.HelloAsync();
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, 100_000)));
        var sending = SendAsync();
        var replies = 0;
        while (await client.ReadReplyAsync(server.Ct) is not null)
            replies++;
        await sending;
        Assert.InRange(replies, 0, most);
        Assert.Contains(await server.ClosedAsync(), (string[])["closed", "lost connection"]);
        await server.AssertServesAsync();

        async Task SendAsync()
        {
            try
            {
                await client.SendAsync(flood, server.Ct);
            }
            catch (IOException)
            {
                // Cut off, as it should be.
            }
        }
    }

    [Theory]
    [InlineData("DATA\r\na\nb\r\n.\r\n", "354 ")]
    [InlineData("BDAT 3 LAST\r\na\nb", null)]
    public async Task Refused_content_counts_like_any_refusal(string content, string? first)
    {
        await using var server = TestServer.Start(static o => o with { Limits = new SessionLimits { Refusals = 5 } });
        await using var client = await server.HelloAsync();
        for (var i = 1; i <= 5; i++)
        {
            Assert.StartsWith("250 ", await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct));
            Assert.StartsWith("250 ", await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct));
            await client.SendAsync(content, server.Ct);
            if (first is not null)
                Assert.StartsWith(first, await client.ReadReplyAsync(server.Ct));
            Assert.StartsWith(i < 5 ? "554 " : "421 4.7.0 Too many errors", await client.ReadReplyAsync(server.Ct));
        }

        Assert.Null(await client.ReadReplyAsync(server.Ct));
    }

    [Fact]
    public async Task Row_89_recipients_beyond_the_limit_wait_and_the_message_goes_to_the_others()
    {
        await using var server = TestServer.Start();
        await using var client = await server.HelloAsync();
        await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        for (var group = 0; group < 5; group++)
        {
            await client.SendAsync(string.Concat(Enumerable.Range(group * 1000, 1000).Select(static i => $"RCPT TO:<u{i}@accepted.example>\r\n")), server.Ct);
            for (var i = 0; i < 1000; i++)
                Assert.StartsWith(group == 0 ? "250 2.1.5 " : "452 4.5.3 ", await client.ReadReplyAsync(server.Ct));
        }

        Assert.StartsWith("354 ", await client.SayAsync("DATA", server.Ct));
        Assert.StartsWith("250 2.0.0 Queued", await client.SayAsync("x\r\n.", server.Ct));
        Assert.Equal(1000, Assert.Single(server.Store.Messages).Recipients.Count);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: mail.example.org\r\n\r\n")]
    [InlineData("POST /x HTTP/1.1\r\n\r\nMAIL FROM:<a@example.org>\r\n")]
    public async Task Row_25_http_spoken_to_smtp_closes_at_once(string request)
    {
        await using var server = TestServer.Start();
        await using var client = await server.GreetAsync();
        await client.SendAsync(request, server.Ct);
        Assert.StartsWith("500 5.5.1 ", await client.ReadLineAsync(server.Ct));
        Assert.Null(await client.ReadLineAsync(server.Ct));
        Assert.Empty(server.Store.Messages);
    }

    [Fact]
    public async Task Row_26_and_54_parallel_connections_of_one_address_are_few_and_leave_room_for_others()
    {
        await using var server = TestServer.Start(static o => o with { MaxConnectionsPerAddress = 50 });
        var clients = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => server.ConnectAsync()));
        var greetings = await Task.WhenAll(clients.Select(c => c.ReadLineAsync(server.Ct)));
        Assert.Equal(50, greetings.Count(static g => g!.StartsWith("220 ", StringComparison.Ordinal)));
        Assert.Equal(150, greetings.Count(static g => g!.StartsWith("421 4.7.0 ", StringComparison.Ordinal)));
        Assert.Equal(50, server.Server.Connections);
        foreach (var client in clients)
            client.Reset();
        await server.EmptyAsync();
        await server.AssertServesAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("EHLO c")]
    [InlineData("EHLO c|AUTH LOGIN")]
    [InlineData("EHLO c|AUTH LOGIN|YWxpY2U=")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<b@accepted.example>")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<b@accepted.example>|DATA")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<b@accepted.example>|DATA|=half a line")]
    [InlineData("EHLO c|MAIL FROM:<a@example.org>|RCPT TO:<b@accepted.example>|DATA|=line\r\n.")]
    [InlineData("STARTTLS")]
    [InlineData("STARTTLS|=\u0016\u0003\u0001\u0002\u0000\u0001")]
    [InlineData("STARTTLS|tls")]
    [InlineData("STARTTLS|tls|EHLO c|AUTH PLAIN")]
    public async Task A_reset_in_any_state_ends_that_session_alone_and_leaves_nothing(string dialogue)
    {
        await using var server = TestServer.Start();
        var client = await server.GreetAsync();
        foreach (var said in dialogue.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            if (said == "tls")
                await client.StartTlsAsync(server.Ct);
            else if (said.StartsWith('='))
                await client.SendAsync(said[1..], server.Ct);
            else
                Assert.Matches("^[23]", await client.SayAsync(said, server.Ct));
        }

        client.Reset();
        Assert.Contains(await server.ClosedAsync(), dialogue.StartsWith("STARTTLS", StringComparison.Ordinal) ? (string[])["lost connection", "closed"] : ["lost connection"]);
        await server.EmptyAsync();
        Assert.Empty(server.Faults);
        Assert.Empty(server.Store.Messages);
        Assert.Equal(dialogue.Contains("DATA", StringComparison.Ordinal) ? 1 : 0, server.Store.Discarded);
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_stop_waits_for_a_connection_that_has_a_place_and_is_no_session_yet()
    {
        await using var server = TestServer.Start();
        Assert.Null(server.Server.Gate.Enter(IPAddress.Loopback));
        var stopping = server.Server.StopAsync(server.Ct);
        Assert.False(stopping.IsCompleted);
        server.Server.Gate.Leave(IPAddress.Loopback);
        await stopping.WaitAsync(server.Ct);
    }

    [Fact]
    public async Task A_session_that_begins_when_the_server_has_stopped_ends_at_once()
    {
        await using var server = TestServer.Start();
        await server.Server.DisposeAsync();
        var listener = new SmtpListenerOptions { Name = "late", Endpoints = [], Tls = TlsMode.None, Auth = AuthMode.Off };
        using var deaf = new DeafStream("NOOP\r\n"u8.ToArray());
        var serving = server.Server.HoldAsync(deaf, listener, IPAddress.Loopback);
        await server.UntilAsync(() =>
        {
            server.Tick();
            return serving.IsCompleted;
        });
        Assert.Equal("server stopping", await server.ClosedAsync());
    }

    [Theory]
    [InlineData("MAIL FROM:<{0}@example.org>", "500 5.5.2")]
    [InlineData("EHLO {0}", "500 5.5.2")]
    [InlineData("NOOP {0}", "500 5.5.2")]
    [InlineData("{0}", "500 5.5.2")]
    [InlineData("AUTH PLAIN {0}", "500 5.5.2")]
    public async Task Row_79_and_80_a_command_line_of_ten_times_the_cap_is_refused_in_every_phase(string command, string expected)
    {
        var line = string.Format(System.Globalization.CultureInfo.InvariantCulture, command, new string('x', 10 * new SessionLimits().CommandOctets));
        await using var server = TestServer.Start();
        await using var client = await server.GreetAsync();
        foreach (var before in (string[])["", "EHLO c", "MAIL FROM:<a@example.org>", "RCPT TO:<b@accepted.example>"])
        {
            if (before.Length > 0)
                Assert.StartsWith("250 ", await client.SayAsync(before, server.Ct));
            Assert.StartsWith(expected, await client.SayAsync(line, server.Ct));
        }

        Assert.Equal(Reply(StandardReply.Ok), await client.SayAsync("NOOP", server.Ct));
    }

    [Fact]
    public async Task Row_79_a_sasl_response_of_ten_times_the_cap_is_refused_with_one_reply()
    {
        await using var server = TestServer.Start();
        await using var client = await server.HelloAsync();
        Assert.StartsWith("334 ", await client.SayAsync("AUTH PLAIN", server.Ct));
        Assert.StartsWith("500 5.5.6 ", await client.SayAsync(new string('A', 5 * new SessionLimits().SaslOctets), server.Ct));
        Assert.Equal(Reply(StandardReply.Ok), await client.SayAsync("NOOP", server.Ct));
    }

    private static string Reply(Reply reply) => reply.ToString();
}
