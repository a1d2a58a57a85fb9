using Postern.Smtp.Dialogue;
using Postern.Smtp.Overload;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;

namespace Postern.Smtp.Tests.Overload;

/// <summary>What clients meet while the server is stressed or full, and that it ends by itself.</summary>
public sealed class OverloadTests
{
    private readonly FakeGauge work = new("work");
    private readonly FakeGauge disk = new("disk", isStorage: true);

    [Fact]
    public async Task A_full_server_turns_new_clients_away_and_takes_them_again_when_it_is_calm()
    {
        await using var server = Start();
        Press(server, work, 1);
        await using (var late = await server.ConnectAsync())
        {
            Assert.Equal("421 4.3.2 Server is busy, try again later", await late.ReadLineAsync(server.Ct));
            Assert.Null(await late.ReadLineAsync(server.Ct));
        }

        Assert.Equal(["overload: work"], server.TurnedAway);
        Press(server, work, 0, seconds: 10);
        await server.AssertServesAsync();
        Assert.Equal([(LoadState.Full, "work"), (LoadState.Stressed, "work"), (LoadState.Normal, "work")], server.Loads.Select(l => (l.State, l.State == LoadState.Full ? l.Gauge : "work")));
        Assert.Equal((LoadState.Normal, 1, 1), (server.Server.LoadReport.State, server.Server.LoadReport.TimesStressed, server.Server.LoadReport.TimesFull));
    }

    [Fact]
    public async Task Mail_on_an_open_session_of_a_full_server_is_421()
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        Press(server, work, 1);
        Assert.Equal("250 2.0.0 Ok", await client.SayAsync("NOOP", server.Ct));
        Assert.Equal("421 4.3.2 Server is busy, try again later", await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct));
        Assert.Null(await client.ReadLineAsync(server.Ct));
    }

    [Fact]
    public async Task Mail_without_room_for_it_is_452_and_taken_later_in_the_same_session()
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        Press(server, disk, 1);
        Assert.Equal("452 4.3.1 Insufficient system storage, try again later", await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct));
        Press(server, disk, 0, seconds: 5);
        Assert.StartsWith("250 2.0.0 Queued", await server.SendAsync(client));
    }

    [Fact]
    public async Task A_transaction_that_has_begun_may_finish_on_a_full_server()
    {
        await using var server = Start();
        await using var client = await server.HelloAsync();
        await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        Press(server, work, 1);
        Assert.StartsWith("250 ", await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct));
        Assert.StartsWith("354 ", await client.SayAsync("DATA", server.Ct));
        Assert.StartsWith("250 2.0.0 Queued", await client.SayAsync("x\r\n.", server.Ct));
    }

    [Fact]
    public async Task Under_stress_the_quiet_are_closed_and_who_logged_in_has_more_time()
    {
        await using var server = Start();
        await using var stranger = await server.HelloAsync();
        await using var user = await server.HelloAsync(login: true);
        Press(server, work, 0.9, seconds: 12);
        Assert.Equal("421 4.3.2 Server is under load and waits for a shorter time, try again later", await stranger.ReadLineAsync(server.Ct));
        Assert.Null(await stranger.ReadLineAsync(server.Ct));
        Assert.Equal("overload", await server.ClosedAsync());

        Assert.StartsWith("250 2.0.0 Queued", await server.SendAsync(user));
        server.Tick(29);
        Assert.Equal("250 2.0.0 Ok", await user.SayAsync("NOOP", server.Ct));
        server.Tick(31);
        Assert.StartsWith("421 4.3.2 Server is under load", await user.ReadLineAsync(server.Ct));
        Assert.Equal("overload", await server.ClosedAsync());
    }

    [Fact]
    public async Task Who_had_been_quiet_for_long_before_the_stress_is_closed_with_the_first_tick()
    {
        await using var server = Start();
        await using var user = await server.HelloAsync(login: true);
        server.Tick(120);
        Press(server, work, 0.9);
        Assert.StartsWith("421 4.3.2 Server is under load", await user.ReadLineAsync(server.Ct));
    }

    [Fact]
    public async Task Under_stress_fewer_errors_and_recipients_are_borne_and_then_as_many_as_before()
    {
        await using var server = Start();
        Press(server, work, 0.9);
        await using (var client = await server.HelloAsync())
        {
            for (var i = 1; i < 5; i++)
                Assert.StartsWith("500 5.5.1", await client.SayAsync("XYZZY", server.Ct));
            Assert.StartsWith("421 4.7.0 Too many errors", await client.SayAsync("XYZZY", server.Ct));
        }

        Press(server, work, 0, seconds: 5);
        await using var other = await server.HelloAsync();
        for (var i = 1; i < 20; i++)
            Assert.StartsWith("500 5.5.1", await other.SayAsync("XYZZY", server.Ct));
        Assert.StartsWith("421 4.7.0 Too many errors", await other.SayAsync("XYZZY", server.Ct));
    }

    [Fact]
    public async Task Connections_near_their_limit_stress_the_server_and_those_inside_are_served()
    {
        await using var server = TestServer.Start(static o => o with { MaxConnections = 5 });
        await using var a = await server.HelloAsync(login: true);
        await using var b = await server.GreetAsync();
        await using var c = await server.GreetAsync();
        await using var d = await server.GreetAsync();
        await using var e = await server.GreetAsync();
        server.Tick();
        Assert.Equal((LoadState.Stressed, "connections", 1.0), Assert.Single(server.Loads));
        Assert.StartsWith("250 2.0.0 Queued", await server.SendAsync(a));
        await using var late = await server.ConnectAsync();
        Assert.StartsWith("421 4.3.2 Too many connections", await late.ReadLineAsync(server.Ct));
    }

    [Fact]
    public async Task A_process_above_its_memory_takes_no_mail()
    {
        await using var server = TestServer.Start(static o => o with { MaxMemory = 1024 });
        await using var client = await server.HelloAsync();
        server.Tick();
        Assert.Equal((LoadState.Full, "memory", 1.0), Assert.Single(server.Loads));
        Assert.StartsWith("452 4.3.1", await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct));
    }

    [Fact]
    public void Tightened_limits_keep_what_is_tighter_already_and_what_ehlo_has_announced()
    {
        var limits = new SessionLimits { Idle = TimeSpan.FromSeconds(7), Recipients = 3, BadCommands = 2, MessageOctets = 123 };
        var full = new LimitsByLoad(limits).For(LoadState.Full, isAuthenticated: true);
        Assert.Equal((limits.Idle, 3, 2, 123L), (full.Idle, full.Recipients, full.BadCommands, full.MessageOctets));
        Assert.Same(limits, new LimitsByLoad(limits).For(LoadState.Normal, isAuthenticated: false));
    }

    private TestServer Start() => TestServer.Start(o => o with { Gauges = [work, disk] });

    private static void Press(TestServer server, FakeGauge gauge, double value, int seconds = 1)
    {
        gauge.Value = value;
        server.Tick(seconds);
    }
}
