using System.Net;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Hostile;

/// <summary>Clients that take their time, on purpose or because they are gone: each wait has an end, and others are served meanwhile.</summary>
public sealed class SlowClientTests
{
    [Fact]
    public async Task Two_hundred_clients_that_send_an_octet_in_ten_seconds_are_cut_off_and_others_served()
    {
        await using var server = TestServer.Start();
        var slow = new List<RawClient>();
        for (var i = 0; i < 200; i++)
            slow.Add(await server.HelloAsync());
        for (var elapsed = 0; elapsed < 290; elapsed += 10)
        {
            foreach (var client in slow)
                await client.SendAsync("N", server.Ct);
            server.Tick(10);
        }

        Assert.Empty(server.Closed);
        await server.AssertServesAsync();
        Assert.Equal("lost connection", await server.ClosedAsync());
        server.Tick(12);
        foreach (var client in slow)
            Assert.StartsWith("421 4.4.2 ", await client.ReadLineAsync(server.Ct));
        await server.EmptyAsync();
        foreach (var client in slow)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task Peers_that_are_gone_without_a_word_give_their_places_back()
    {
        await using var server = TestServer.Start();
        await using var greeted = await server.GreetAsync();
        await using var sending = await server.HelloAsync();
        await sending.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        await using var loggingIn = await server.HelloAsync();
        await loggingIn.SayAsync("AUTH PLAIN", server.Ct);
        await using var inData = await server.HelloAsync();
        await inData.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        await inData.SayAsync("RCPT TO:<b@accepted.example>", server.Ct);
        await inData.SayAsync("DATA", server.Ct);
        await using var inHandshake = await server.HelloAsync();
        await inHandshake.SayAsync("STARTTLS", server.Ct);
        Assert.Equal(5, server.Server.Connections);

        server.Tick(302);
        await server.EmptyAsync();
        Assert.Equal(1, server.Store.Discarded);
        Assert.Empty(server.Faults);
    }

    [Fact]
    public async Task A_client_that_reads_nothing_has_no_more_time_than_one_that_says_nothing()
    {
        await using var server = TestServer.Start();
        using var deaf = new DeafStream("HELP\r\n"u8.ToArray());
        var listener = new SmtpListener(server.Server, new SmtpListenerOptions { Name = "deaf", Endpoints = [], Tls = TlsMode.None, Auth = AuthMode.Off });
        var serving = listener.ServeAsync(deaf, socket: null, port: 1, IPAddress.Loopback);
        await deaf.WritingAsync(server.Ct);
        server.Tick(299);
        Assert.False(serving.IsCompleted);
        server.Tick(3);
        await serving.WaitAsync(server.Ct);
        Assert.Equal("timeout", await server.ClosedAsync());
    }

    [Fact]
    public async Task A_session_that_never_sends_a_message_ends_however_busy_it_is()
    {
        await using var server = TestServer.Start();
        await using var idle = await server.HelloAsync();
        await using var sending = await server.HelloAsync();
        for (var minute = 0; minute < 56; minute += 4)
        {
            Assert.Equal("250 2.0.0 Ok", await idle.SayAsync("NOOP", server.Ct));
            Assert.Equal("250 2.0.0 Ok", await sending.SayAsync("NOOP", server.Ct));
            server.Tick(240);
        }

        Assert.StartsWith("250 2.0.0 Queued", await server.SendAsync(sending));
        Assert.Equal("250 2.0.0 Ok", await idle.SayAsync("NOOP", server.Ct));
        server.Tick(242);
        Assert.StartsWith("421 4.4.2 No message for too long", await idle.ReadLineAsync(server.Ct));
        Assert.Equal("250 2.0.0 Ok", await sending.SayAsync("NOOP", server.Ct));
    }

    [Fact]
    public async Task Under_stress_content_must_come_faster_than_in_calm()
    {
        var gauge = new Overload.FakeGauge("work") { Value = 0.9 };
        await using var server = TestServer.Start(o => o with { Gauges = [gauge] });
        server.Tick();
        await using var client = await server.HelloAsync(login: true);
        await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct);
        await client.SayAsync("DATA", server.Ct);
        for (var sent = 1; sent <= 3 && server.Closed.IsEmpty; sent++)
        {
            await client.SendAsync("x", server.Ct);
            await server.UntilAsync(() => server.Store.Octets == sent || !server.Closed.IsEmpty);
            server.Tick(20);
        }

        Assert.Equal("timeout", await server.ClosedAsync());
        Assert.Empty(server.Store.Messages);
    }

    [Fact]
    public void Every_wait_has_an_end()
    {
        var limits = new SessionLimits();
        Assert.All([limits.Idle, limits.DataBlock, limits.Handshake, limits.WithoutMessage], static wait => Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromHours(2)));
    }
}
