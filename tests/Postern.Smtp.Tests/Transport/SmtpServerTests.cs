using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Postern.Sasl;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Events;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>What a transcript cannot show: limits, deadlines, stopping, and what arrives at the wrong moment.</summary>
public sealed class SmtpServerTests : IDisposable
{
    private readonly MemoryStore store = new();
    private readonly ManualClock clock = new();
    private readonly Recorder recorder = new();
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));

    private CancellationToken Ct => patience.Token;

    [Fact]
    public async Task A_connection_over_the_limit_of_one_address_is_told_421()
    {
        await using var server = Start(static o => o with { MaxConnectionsPerAddress = 1 });
        await using var first = await RawClient.ConnectAsync(server, Ct);
        Assert.StartsWith("220 ", await first.ReadLineAsync(Ct));

        await using var second = await RawClient.ConnectAsync(server, Ct);
        Assert.StartsWith("421 4.7.0 ", await second.ReadLineAsync(Ct));
        Assert.Null(await second.ReadLineAsync(Ct));

        Assert.Equal("221 2.0.0 Bye", await first.SayAsync("QUIT", Ct));
        await recorder.ClosedAsync(Ct);
        await UntilAsync(() => server.Connections == 0);
        await using var third = await RawClient.ConnectAsync(server, Ct);
        Assert.StartsWith("220 ", await third.ReadLineAsync(Ct));
    }

    [Fact]
    public async Task A_connection_over_the_limit_of_all_is_told_421()
    {
        await using var server = Start(static o => o with { MaxConnections = 1 });
        await using var first = await RawClient.ConnectAsync(server, Ct);
        await first.ReadLineAsync(Ct);
        await using var second = await RawClient.ConnectAsync(server, Ct);
        Assert.StartsWith("421 4.3.2 ", await second.ReadLineAsync(Ct));
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_told_421_when_its_time_is_up()
    {
        await using var server = Start();
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await client.ReadLineAsync(Ct);
        clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(2));
        Assert.StartsWith("421 4.4.2 ", await client.ReadLineAsync(Ct));
        Assert.Equal("timeout", await recorder.ClosedAsync(Ct));
    }

    [Fact]
    public async Task A_line_that_trickles_in_has_one_deadline_for_all_of_it()
    {
        await using var server = Start();
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await client.ReadLineAsync(Ct);
        Assert.Equal("250 2.0.0 Ok", await client.SayAsync("NOOP", Ct));
        await client.SendAsync("NO", Ct);
        clock.Advance(TimeSpan.FromMinutes(3));
        await client.SendAsync("O", Ct);
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.StartsWith("421 4.4.2 ", await client.ReadLineAsync(Ct));
    }

    [Fact]
    public async Task Content_that_trickles_in_for_ever_ends_the_connection()
    {
        await using var server = Start();
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await client.ReadLineAsync(Ct);
        await client.SayAsync("EHLO c", Ct);
        await client.SayAsync("MAIL FROM:<a@example.org>", Ct);
        await client.SayAsync("RCPT TO:<b@accepted.example>", Ct);
        await client.SayAsync("DATA", Ct);
        for (var sent = 1; sent <= 3 && recorder.Closed.IsEmpty; sent++)
        {
            await client.SendAsync("x", Ct);
            await UntilAsync(() => store.Octets == sent || !recorder.Closed.IsEmpty);
            clock.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.Equal("timeout", await recorder.ClosedAsync(Ct));
        Assert.Empty(store.Messages);
    }

    [Fact]
    public async Task A_handshake_that_never_comes_ends_the_connection()
    {
        await using var server = Start(static o => o with { Listeners = [o.Listeners[0] with { Tls = TlsMode.Implicit }] });
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await recorder.ConnectedAsync(Ct);
        await UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            return recorder.Closed.Count > 0;
        });
        Assert.Null(await client.ReadLineAsync(Ct));
        Assert.Equal("TLS handshake failed", await recorder.ClosedAsync(Ct));
    }

    [Theory]
    [InlineData("STARTTLS\r\nRSET\r\nNOOP\r\n")]
    [InlineData("starttls\r\nEHLO injected\r\n")]
    [InlineData("STARTTLS \r\nMAIL FROM:<a@example.org>\r\n")]
    public async Task Input_behind_starttls_is_never_answered_and_ends_the_connection(string injection)
    {
        await using var server = Start(static o => o with { Listeners = [o.Listeners[0] with { Tls = TlsMode.StartTls }] });
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await client.ReadLineAsync(Ct);
        await client.SayAsync("EHLO c", Ct);
        await client.SendAsync(injection, Ct);
        Assert.StartsWith("554 5.5.0 ", await client.ReadLineAsync(Ct));
        Assert.Null(await client.ReadLineAsync(Ct));
    }

    [Fact]
    public async Task Content_sent_before_the_refusal_of_data_is_never_read_as_commands()
    {
        await using var server = Start();
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await client.ReadLineAsync(Ct);
        await client.SayAsync("EHLO c", Ct);
        await client.SayAsync("MAIL FROM:<a@example.org>", Ct);
        await client.SendAsync("DATA\r\nRSET\r\nMAIL FROM:<evil@example.org>\r\n.\r\n", Ct);
        Assert.StartsWith("554 5.5.1 ", await client.ReadLineAsync(Ct));
        Assert.Null(await client.ReadLineAsync(Ct));
    }

    [Fact]
    public async Task A_stopping_server_says_421_to_the_quiet_and_lets_data_finish()
    {
        await using var server = Start();
        await using var quiet = await RawClient.ConnectAsync(server, Ct);
        await quiet.ReadLineAsync(Ct);
        await using var busy = await RawClient.ConnectAsync(server, Ct);
        await busy.ReadLineAsync(Ct);
        await busy.SayAsync("EHLO c", Ct);
        await busy.SayAsync("MAIL FROM:<a@example.org>", Ct);
        await busy.SayAsync("RCPT TO:<b@accepted.example>", Ct);
        await busy.SayAsync("DATA", Ct);

        var stopping = server.StopAsync(Ct);
        Assert.StartsWith("421 4.3.2 ", await quiet.ReadLineAsync(Ct));
        Assert.Equal("250 2.0.0 Queued as 1", await busy.SayAsync("hello\r\n.", Ct));
        Assert.StartsWith("421 4.3.2 ", await busy.ReadLineAsync(Ct));
        await stopping;
        Assert.Single(store.Messages);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task A_dispose_cuts_off_what_a_stop_still_waits_for()
    {
        var server = Start();
        await using var busy = await RawClient.ConnectAsync(server, Ct);
        await busy.ReadLineAsync(Ct);
        await busy.SayAsync("EHLO c", Ct);
        await busy.SayAsync("MAIL FROM:<a@example.org>", Ct);
        await busy.SayAsync("RCPT TO:<b@accepted.example>", Ct);
        await busy.SayAsync("DATA", Ct);

        var stopping = server.StopAsync(Ct);
        Assert.False(stopping.IsCompleted);
        await server.DisposeAsync();
        Assert.StartsWith("421 4.3.2 ", await busy.ReadLineAsync(Ct));
        await stopping;
        Assert.Empty(store.Messages);
    }

    [Fact]
    public async Task A_session_that_has_just_ended_can_still_be_told_to_end()
    {
        var options = Options();
        await using var server = new SmtpServer(options);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var state = new SessionState { Id = "1", Listener = "test", Hostname = "mail.example.org", ClientAddress = IPAddress.Loopback };
        var session = new SmtpSession(server.ServiceOf(options.Listeners[0]), new SmtpTransport(Stream.Null, socket), state);
        await session.DisposeAsync();
        session.Interrupt(StandardReply.ShuttingDown);
    }

    [Fact]
    public async Task A_reset_at_any_moment_ends_one_session_and_leaves_nothing()
    {
        await using var server = Start();
        foreach (var until in Enumerable.Range(0, 6))
        {
            var client = await RawClient.ConnectAsync(server, Ct);
            await client.ReadLineAsync(Ct);
            string[] dialogue = ["EHLO c", "MAIL FROM:<a@example.org>", "RCPT TO:<b@accepted.example>", "DATA"];
            foreach (var line in dialogue.Take(until))
                await client.SayAsync(line, Ct);
            if (until == 5)
                await client.SendAsync("half a message", Ct);
            client.Reset();
            Assert.Equal("lost connection", await recorder.ClosedAsync(Ct));
        }

        Assert.Empty(store.Messages);
        await UntilAsync(() => server.Connections == 0);
    }

    [Fact]
    public async Task A_line_without_end_is_cut_off()
    {
        await using var server = Start();
        await using var client = await RawClient.ConnectAsync(server, Ct);
        await client.ReadLineAsync(Ct);
        var chunk = new byte[64 * 1024];
        chunk.AsSpan().Fill((byte)'x');
        try
        {
            for (var i = 0; i < 1024; i++)
                await client.SendAsync(chunk, Ct);
        }
        catch (IOException)
        {
            // The server has closed, as it should.
        }

        Assert.Equal("closed", await recorder.ClosedAsync(Ct));
    }

    [Fact]
    public async Task A_port_in_use_is_named_and_nothing_stays_bound()
    {
        await using var server = Start();
        var taken = server.Endpoints[0].Endpoint;
        await using var second = new SmtpServer(Options() with
        {
            Listeners = [new SmtpListenerOptions { Name = "submission", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0), taken], Tls = TlsMode.None, Auth = AuthMode.Off }],
        });
        var refused = Assert.Throws<ListenException>(second.Start);
        Assert.Equal($"listener 'submission' cannot listen on {taken}: something already listens there", refused.Message);
    }

    [Fact]
    public async Task IPv6_clients_are_served_beside_IPv4_on_the_same_port()
    {
        await using var server = Start(static o => o with
        {
            Listeners = [o.Listeners[0] with { Endpoints = [new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.IPv6Loopback, 0)] }],
        });
        Assert.Equal(2, server.Endpoints.Count);
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Endpoints[1].Endpoint, Ct);
        var greeting = new byte[3];
        await socket.ReceiveAsync(greeting, Ct);
        Assert.Equal("220"u8.ToArray(), greeting);
    }

    public void Dispose() => patience.Dispose();

    private SmtpServer Start(Func<SmtpServerOptions, SmtpServerOptions>? change = null)
    {
        var options = Options();
        var server = new SmtpServer(change?.Invoke(options) ?? options);
        server.Start();
        return server;
    }

    private SmtpServerOptions Options() => new()
    {
        Hostname = "mail.example.org",
        Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
        Policy = new TestPolicy(),
        Store = store,
        Events = recorder,
        Tls = new TlsOptions(TestCertificate.Instance),
        Sasl = new SaslContext { Passwords = new TestPasswords("alice:secret") },
        Clock = clock,
    };

    /// <summary>For what no event tells: turns until it is so, or the test's patience ends.</summary>
    private async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class Recorder : ISmtpEvents
    {
        private readonly SemaphoreSlim connected = new(0);
        private readonly SemaphoreSlim closed = new(0);

        public ConcurrentQueue<string> Closed { get; } = new();

        public void OnConnected(SessionState session) => connected.Release();

        public void OnClosed(SessionState session, string reason)
        {
            Closed.Enqueue(reason);
            closed.Release();
        }

        public Task ConnectedAsync(CancellationToken ct) => connected.WaitAsync(ct);

        public async Task<string> ClosedAsync(CancellationToken ct)
        {
            await closed.WaitAsync(ct);
            return Closed.TryDequeue(out var reason) ? reason : string.Empty;
        }
    }
}
