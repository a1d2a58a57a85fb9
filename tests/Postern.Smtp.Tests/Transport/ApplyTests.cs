using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Events;
using Postern.Smtp.Overload;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>A server goes on with other options: what stays, what comes, what goes, and that nobody who is inside notices.</summary>
public sealed class ApplyTests
{
    [Fact]
    public async Task An_endpoint_that_stays_keeps_its_port_and_who_waits_in_its_backlog()
    {
        using var doorkeeper = new SlowDoorkeeper();
        await using var server = TestServer.Start(o => o with { Events = doorkeeper, Listeners = [o.Listeners[0] with { Clients = [IPNetwork.Parse("192.0.2.0/24")] }] });
        var endpoint = server.Server.Endpoints[0].Endpoint;
        await using var refused = await server.ConnectAsync();
        doorkeeper.WaitUntilBusy(server.Ct);
        await using var waiting = await server.ConnectAsync();

        var applied = server.Server.Apply(server.Server.Options with { Listeners = [server.Server.Options.Listeners[0] with { Clients = null }] });
        doorkeeper.GoOn();

        Assert.StartsWith("554 ", await refused.ReadLineAsync(server.Ct));
        Assert.StartsWith("220 ", await waiting.ReadLineAsync(server.Ct));
        Assert.Equal(endpoint, Assert.Single(server.Server.Endpoints).Endpoint);
        Assert.Equal(new AppliedEndpoint("test", endpoint, 0), Assert.Single(applied.Changed));
        Assert.Equal((0, 0, 0), (applied.Added.Count, applied.Kept.Count, applied.Removed.Count));
    }

    [Fact]
    public async Task A_session_that_is_open_keeps_its_limits_and_mechanisms_and_the_next_one_has_the_new_ones()
    {
        await using var server = TestServer.Start();
        await using var old = await server.GreetAsync();
        var before = server.Server.Options;
        var applied = server.Server.Apply(before with
        {
            Hostname = "new.example.org",
            Limits = before.Limits with { MessageOctets = 1000 },
            Listeners = [before.Listeners[0] with { Mechanisms = ["LOGIN"] }],
        });
        await using var young = await server.ConnectAsync();

        Assert.StartsWith("220 new.example.org ", await young.ReadLineAsync(server.Ct));
        Assert.Equal("AUTH LOGIN, SIZE 1000", await OffersAsync(young, server.Ct));
        Assert.Equal("AUTH PLAIN LOGIN, SIZE 50000000", await OffersAsync(old, server.Ct));
        Assert.StartsWith("250 2.0.0 Queued", await server.SendAsync(old, new string('x', 2000)));
        Assert.StartsWith("552 ", await server.SendAsync(young, new string('x', 2000)));
        Assert.Equal(1, Assert.Single(applied.Changed).OpenSessions);
    }

    [Fact]
    public async Task A_message_that_is_being_sent_to_a_removed_endpoint_is_taken_and_the_next_client_finds_nobody()
    {
        await using var server = TestServer.Start();
        var gone = server.Server.Endpoints[0].Endpoint;
        await using var client = await server.HelloAsync();
        await client.SayAsync("MAIL FROM:<a@example.org>", server.Ct);
        await client.SayAsync("RCPT TO:<b@accepted.example>", server.Ct);
        Assert.StartsWith("354 ", await client.SayAsync("DATA", server.Ct));

        var applied = server.Server.Apply(server.Server.Options with { Listeners = [server.Server.Options.Listeners[0] with { Name = "other" }] });

        Assert.Equal(new AppliedEndpoint("test", gone, 1), Assert.Single(applied.Removed));
        Assert.Equal(Assert.Single(server.Server.Endpoints).Endpoint, Assert.Single(applied.Added).Endpoint);
        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(gone, server.Ct));
        Assert.StartsWith("250 2.0.0 Queued", await client.SayAsync("hello\r\n.", server.Ct));
        Assert.StartsWith("221 ", await client.SayAsync("QUIT", server.Ct));
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task Where_an_endpoint_cannot_be_bound_everything_stays_as_it_was()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var server = TestServer.Start();
        var before = server.Server.Options;
        var endpoints = server.Server.Endpoints;
        var free = FreeEndpoint();

        var refused = Assert.Throws<ListenException>(() => server.Server.Apply(before with
        {
            Hostname = "new.example.org",
            Listeners = [Plain("first", free), Plain("second", (IPEndPoint)taken.LocalEndpoint)],
        }));

        Assert.Equal("second", refused.Listener);
        Assert.Equal(endpoints, server.Server.Endpoints);
        Assert.Same(before, server.Server.Options);
        using (var again = new TcpListener(free))
            again.Start();
        await server.AssertServesAsync();
    }

    [Fact]
    public async Task A_socket_that_this_machine_does_not_give_is_an_endpoint_that_cannot_be_bound()
    {
        await using var server = TestServer.Start();
        var before = server.Server.Options;
        var free = FreeEndpoint();

        var refused = Assert.Throws<ListenException>(() => server.Server.Apply(before with { Listeners = [Plain("first", free), Plain("second", new NoSocketFor())] }));

        Assert.Equal("second", refused.Listener);
        Assert.Same(before, server.Server.Options);
        using var again = new TcpListener(free);
        again.Start();
    }

    [Fact]
    public async Task All_mistakes_are_listed_and_nothing_is_changed()
    {
        await using var server = TestServer.Start();
        var before = server.Server.Options;

        var refused = Assert.Throws<ArgumentException>(() => server.Server.Apply(before with { MaxConnections = 0, Hostname = "no name", Clock = new ManualClock() }));

        Assert.Equal(["MaxConnections", "Hostname", "Clock"], ((string[])["MaxConnections", "Hostname", "Clock"]).Where(word => refused.Message.Contains("- " + word, StringComparison.Ordinal)));
        Assert.Same(before, server.Server.Options);
    }

    [Fact]
    public async Task A_server_that_was_stopped_takes_no_options()
    {
        await using var server = TestServer.Start();
        await server.Server.StopAsync(server.Ct);
        Assert.Throws<InvalidOperationException>(() => server.Server.Apply(server.Server.Options));
    }

    [Fact]
    public async Task Options_applied_before_the_start_are_those_it_starts_with()
    {
        var options = new SmtpServerOptions { Listeners = [Plain("first", new IPEndPoint(IPAddress.Loopback, 0))], Policy = new TestPolicy(), Store = new MemoryStore() };
        await using var server = new SmtpServer(options);
        server.Apply(options with { Listeners = [Plain("second", new IPEndPoint(IPAddress.Loopback, 0))] });
        Assert.Empty(server.Endpoints);
        server.Start();
        Assert.Equal("second", Assert.Single(server.Endpoints).Listener.Name);
    }

    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("127.0.0.1", "0.0.0.0")]
    public async Task A_wildcard_and_one_of_its_addresses_follow_one_another_at_the_same_port(string first, string then)
    {
        await using var server = TestServer.Start(o => o with { Listeners = [o.Listeners[0] with { Endpoints = [new IPEndPoint(IPAddress.Parse(first), 0)] }] });
        var port = server.Server.Endpoints[0].Endpoint.Port;
        var next = new IPEndPoint(IPAddress.Parse(then), port);

        var applied = server.Server.Apply(server.Server.Options with { Listeners = [server.Server.Options.Listeners[0] with { Endpoints = [next] }] });

        Assert.Equal(next, Assert.Single(applied.Added).Endpoint);
        Assert.Single(applied.Removed);
        await server.AssertServesAsync();
        using var second = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<SocketException>(() => second.Bind(next));
    }

    [Fact]
    public async Task Limits_over_all_connections_count_at_once_and_nobody_is_cut_off()
    {
        await using var server = TestServer.Start();
        await using var first = await server.HelloAsync();
        await using var second = await server.HelloAsync();

        server.Server.Apply(server.Server.Options with { MaxConnections = 1 });
        await using (var third = await server.ConnectAsync())
            Assert.StartsWith("421 4.3.2 ", await third.ReadLineAsync(server.Ct));
        server.Server.Apply(server.Server.Options with { MaxConnections = 10, MaxConnectionsPerAddress = 2 });
        await using (var third = await server.ConnectAsync())
            Assert.StartsWith("421 4.7.0 ", await third.ReadLineAsync(server.Ct));
        server.Server.Apply(server.Server.Options with { MaxConnectionsPerAddress = 10 });
        await server.AssertServesAsync();
        Assert.Equal("250 2.0.0 Ok", await first.SayAsync("NOOP", server.Ct));
        Assert.Equal("250 2.0.0 Ok", await second.SayAsync("NOOP", server.Ct));
    }

    [Fact]
    public async Task Gauges_and_thresholds_count_from_the_next_reading_on_and_a_broken_gauge_is_told_once()
    {
        await using var server = TestServer.Start(static o => o with { Gauges = [new Gauge("broken", double.NaN)] });
        server.Tick();
        server.Server.Apply(server.Server.Options with { Gauges = [.. server.Server.Options.Gauges, new Gauge("work", 0.5)] });
        server.Tick();
        Assert.Equal(LoadState.Normal, server.Server.LoadReport.State);
        server.Server.Apply(server.Server.Options with { Load = new LoadThresholds { Stressed = 0.4, Full = 0.9, NormalBelow = 0.3 } });
        server.Tick();
        Assert.Equal((LoadState.Stressed, "work"), (server.Server.LoadReport.State, server.Server.LoadReport.Gauge));
        Assert.Single(server.Faults);
    }

    [Fact]
    public async Task What_is_offered_instead_reaches_sessions_of_any_age_and_stays_with_its_listener()
    {
        await using var server = TestServer.Start();
        await using var old = await server.GreetAsync();
        var (before, listener) = (server.Server.Options, server.Server.Options.Listeners[0]);
        server.Server.Apply(before with { Listeners = [listener with { Auth = AuthMode.Off }] });
        server.Server.Offer(listener, ["LOGIN"]);
        Assert.StartsWith("AUTH LOGIN,", await OffersAsync(old, server.Ct), StringComparison.Ordinal);

        server.Server.Apply(before);
        server.Server.Offer(listener, ["LOGIN"]);
        server.Server.Apply(before with { MaxConnections = 7 });
        await using var young = await server.GreetAsync();
        Assert.StartsWith("AUTH LOGIN,", await OffersAsync(young, server.Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_handed_over_gets_the_options_of_the_moment()
    {
        var lone = new SmtpListenerOptions { Name = "lone", Tls = TlsMode.StartTls, Auth = AuthMode.Off };
        await using var server = TestServer.Start(o => o with { Tls = null, Listeners = [o.Listeners[0] with { Tls = TlsMode.None }] });
        await Assert.ThrowsAsync<ArgumentException>(() => server.Server.ServeAsync(Stream.Null, new IPEndPoint(IPAddress.Loopback, 1), lone, server.Ct));

        server.Server.Apply(server.Server.Options with { Tls = new TlsOptions(TestCertificate.Instance), Hostname = "new.example.org" });
        await using var stream = new PieceStream("EHLO c\r\nQUIT\r\n"u8.ToArray(), static () => int.MaxValue);
        await server.Server.ServeAsync(stream, new IPEndPoint(IPAddress.Loopback, 1), lone, server.Ct);

        var heard = Encoding.ASCII.GetString(stream.Heard.Span);
        Assert.StartsWith("220 new.example.org ", heard, StringComparison.Ordinal);
        Assert.Contains("STARTTLS", heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handshakes_that_stay_the_same_keep_the_tickets_of_their_sessions()
    {
        await using var server = TestServer.Start();
        var tls = TlsNow();
        server.Server.Apply(server.Server.Options with { Hostname = "new.example.org" });
        Assert.Same(tls, TlsNow());
        server.Server.Apply(server.Server.Options with { Listeners = [server.Server.Options.Listeners[0] with { AsksForClientCertificate = true }] });
        Assert.NotSame(tls, TlsNow());

        object TlsNow() => server.Server.ServiceOf(server.Server.Options.Listeners[0]).Tls!;
    }

    [Fact]
    public async Task A_thousand_changes_while_clients_send_refuse_nobody_and_leave_nothing_behind()
    {
        await using var server = TestServer.Start();
        var second = FreeEndpoint();
        var (done, sent) = (false, 0);
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                await server.AssertServesAsync();
                Interlocked.Increment(ref sent);
            }
        })).ToList();

        var old = Change(server.Server, 1000, second);
        await server.UntilAsync(() => Volatile.Read(ref sent) >= 20);
        Volatile.Write(ref done, true);
        await Task.WhenAll(clients);
        await server.EmptyAsync();

        Assert.Equal(sent, server.Store.Messages.Count);
        Assert.Empty(server.TurnedAway);
        await server.UntilAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return old.Count(static o => o.IsAlive) <= 2;
        });
    }

    [Fact]
    public void Options_of_a_listener_are_equal_by_value_in_every_property()
    {
        var (one, other) = (new SmtpListenerOptions { Name = "a" }, new SmtpListenerOptions { Name = "a" });
        // Who is asked about logins is made anew with each configuration, and makes no other listener.
        string[] asked = [nameof(SmtpListenerOptions.Sasl), nameof(SmtpListenerOptions.ClientCertificateUsers)];
        Assert.Equal(one with { Sasl = new() }, other);
        foreach (var property in typeof(SmtpListenerOptions).GetProperties().Where(p => p.CanWrite && !asked.Contains(p.Name)))
        {
            var (left, right) = (one with { }, one with { });
            property.SetValue(left, Sample(property.PropertyType));
            Assert.NotEqual(left, right);
            property.SetValue(right, Sample(property.PropertyType));
            Assert.Equal(left, right);
            Assert.Equal(left.GetHashCode(), right.GetHashCode());
        }

        Assert.Equal(one, other);
    }

    private static object Sample(Type type) =>
        type == typeof(string) ? "b"
        : type == typeof(bool) ? true
        : type == typeof(SessionLimits) ? new SessionLimits { Recipients = 7 }
        : type == typeof(IReadOnlyList<string>) ? new List<string> { "X" }
        : type == typeof(IReadOnlyList<IPNetwork>) ? new List<IPNetwork> { IPNetwork.Parse("192.0.2.0/24") }
        : type == typeof(IReadOnlyList<IPEndPoint>) ? new List<IPEndPoint> { new(IPAddress.Loopback, 25) }
        : (Nullable.GetUnderlyingType(type) ?? type) is { IsEnum: true } enumeration ? Other(enumeration)
        : throw new NotSupportedException($"the test has no other value of {type}");

    /// <summary>One that is no listener's default.</summary>
    private static object Other(Type enumeration)
    {
        var listener = new SmtpListenerOptions { Name = "a" };
        var taken = typeof(SmtpListenerOptions).GetProperties().Where(p => p.PropertyType == enumeration).Select(p => p.GetValue(listener)).ToList();
        return Enum.GetValues(enumeration).Cast<object>().First(v => !taken.Contains(v));
    }

    private static List<WeakReference> Change(SmtpServer server, int times, IPEndPoint second)
    {
        var (listener, store) = (server.Options.Listeners[0], server.Options.Store);
        List<WeakReference> old = [];
        for (var i = 0; i < times; i++)
        {
            var next = server.Options with
            {
                Store = store,
                Limits = new SessionLimits { Recipients = 100 + i },
                Listeners = i % 2 == 0 ? [listener with { Mechanisms = ["PLAIN"] }] : [listener with { Mechanisms = null }, Plain("second", second)],
            };
            old.Add(new WeakReference(next.Limits));
            server.Apply(next);
        }

        return old;
    }

    private static SmtpListenerOptions Plain(string name, IPEndPoint endpoint) => new() { Name = name, Endpoints = [endpoint], Tls = TlsMode.None, Auth = AuthMode.Off };

    private static IPEndPoint FreeEndpoint()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>The lines of AUTH and SIZE.</summary>
    private static async Task<string> OffersAsync(RawClient client, CancellationToken ct)
    {
        await client.SendAsync("EHLO c\r\n", ct);
        List<string> lines = [];
        string? line;
        do
        {
            line = await client.ReadLineAsync(ct);
            if (line?[4..] is { } offer && (offer.StartsWith("AUTH", StringComparison.Ordinal) || offer.StartsWith("SIZE", StringComparison.Ordinal)))
                lines.Add(offer);
        }
        while (line is { Length: > 3 } && line[3] == '-');
        return string.Join(", ", lines);
    }

    private sealed class Gauge(string name, double value) : IPressureGauge
    {
        public string Name => name;

        public double Read() => double.IsNaN(value) ? throw new InvalidOperationException(name) : value;
    }

    /// <summary>An address of a family that no socket here has: as when there are no files left, the socket cannot even be made.</summary>
    private sealed class NoSocketFor() : IPEndPoint(IPAddress.Loopback, 0)
    {
        public override AddressFamily AddressFamily => AddressFamily.Banyan;
    }

    /// <summary>Keeps the accept loop from going on while it turns somebody away.</summary>
    private sealed class SlowDoorkeeper : ISmtpEvents, IDisposable
    {
        private readonly ManualResetEventSlim busy = new();
        private readonly ManualResetEventSlim free = new();

        public void WaitUntilBusy(CancellationToken ct) => busy.Wait(ct);

        public void GoOn() => free.Set();

        public void OnTurnedAway(string listener, IPAddress client, TurnAwayCause cause, string reason)
        {
            busy.Set();
            free.Wait();
        }

        public void Dispose()
        {
            free.Set();
            busy.Dispose();
            free.Dispose();
        }
    }
}
