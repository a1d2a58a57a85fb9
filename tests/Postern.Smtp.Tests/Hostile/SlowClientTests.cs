using System.Net;
using Postern.Smtp.Message;
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
        var listener = new SmtpListenerOptions { Name = "deaf", Endpoints = [], Tls = TlsMode.None, Auth = AuthMode.Off };
        var serving = server.Server.HoldAsync(deaf, listener, IPAddress.Loopback);
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
    public async Task A_chunk_that_is_thrown_away_lasts_no_longer_than_a_session_without_a_message()
    {
        await using var server = TestServer.Start(static o => o with { Limits = new SessionLimits { WithoutMessage = TimeSpan.FromMinutes(10), DataBlock = TimeSpan.FromHours(5) } });
        await using var client = await server.HelloAsync();
        await client.SendAsync("BDAT 100000000\r\n", server.Ct);
        var part = new byte[60_000];
        for (var minute = 0; minute < 12 && server.Closed.IsEmpty; minute += 2)
        {
            await client.SendAsync(part, server.Ct);
            await Task.Delay(50, server.Ct); // no event tells that it was thrown away
            server.Tick(120);
        }

        Assert.StartsWith("421 4.4.2 No message for too long", await client.ReadLineAsync(server.Ct));
        await server.EmptyAsync();
    }

    [Fact]
    public async Task Under_stress_a_login_has_no_more_time_than_a_command()
    {
        var gauge = new Overload.FakeGauge("work");
        await using var server = TestServer.Start(o => o with { Gauges = [gauge] });
        await using var client = await server.HelloAsync();
        Assert.StartsWith("334 ", await client.SayAsync("AUTH LOGIN", server.Ct));
        gauge.Value = 0.9;
        server.Tick(12);
        Assert.StartsWith("421 4.3.2 ", await client.ReadLineAsync(server.Ct));
    }

    [Fact]
    public async Task A_stopping_server_does_not_wait_for_a_client_in_the_middle_of_a_login()
    {
        await using var server = TestServer.Start();
        await using var client = await server.HelloAsync();
        Assert.StartsWith("334 ", await client.SayAsync("AUTH LOGIN", server.Ct));
        await server.Server.StopAsync(server.Ct);
        Assert.False(server.Ct.IsCancellationRequested);
        Assert.StartsWith("421 4.3.2 ", await client.ReadLineAsync(server.Ct));
    }

    [Fact]
    public async Task What_a_store_hangs_on_its_token_breaks_no_clock_when_the_client_is_cut_off()
    {
        await using var server = TestServer.Start(static o => o with { Store = new TouchyStore() });
        await using var client = await server.HelloAsync();
        await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct);
        await client.SendAsync("BDAT 1\r\nx", server.Ct);
        Assert.StartsWith("250 ", await client.ReadReplyAsync(server.Ct));
        server.Tick(600);
        Assert.StartsWith("421 4.4.2 ", await client.ReadLineAsync(server.Ct));
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

    /// <summary>Holds on to the token it was given, and throws when it is cancelled.</summary>
    private sealed class TouchyStore : IMessageStore, IMessageDraft
    {
        public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct)
        {
            ct.Register(static () => throw new InvalidOperationException("a callback that breaks"));
            return new(new DraftAnswer.Open(this));
        }

        public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct) => new(new StoreOutcome.Stored("1"));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
