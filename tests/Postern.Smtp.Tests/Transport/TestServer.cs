using System.Collections.Concurrent;
using System.Net;
using Postern.Sasl;
using Postern.Smtp.Events;
using Postern.Smtp.Overload;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>A server on loopback with a clock of the test's, that keeps what it is told. Waits twenty seconds for anything at most.</summary>
internal sealed class TestServer : ISmtpEvents, IAsyncDisposable
{
    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
    private readonly SemaphoreSlim closed = new(0);
    private int opened;

    private TestServer(Func<SmtpServerOptions, SmtpServerOptions>? change)
    {
        var options = new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.StartTls, Auth = AuthMode.Always }],
            Policy = new TestPolicy(),
            Store = Store,
            Events = this,
            Tls = new TlsOptions(TestCertificate.Instance),
            Sasl = new SaslContext { Passwords = new TestPasswords("alice:secret") },
            MaxConnectionsPerAddress = 1_000,
            Clock = Clock,
        };
        Server = new SmtpServer(change?.Invoke(options) ?? options);
        Server.Start();
    }

    public SmtpServer Server { get; }

    public MemoryStore Store { get; } = new();

    public ManualClock Clock { get; } = new();

    public ConcurrentQueue<string> Closed { get; } = new();

    public ConcurrentQueue<Exception> Faults { get; } = new();

    public ConcurrentQueue<string> TurnedAway { get; } = new();

    public ConcurrentQueue<(LoadState State, string Gauge, double Value)> Loads { get; } = new();

    public CancellationToken Ct => patience.Token;

    public static TestServer Start(Func<SmtpServerOptions, SmtpServerOptions>? change = null) => new(change);

    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(Server, Ct);

    /// <summary>Connected, and the greeting read.</summary>
    public async Task<RawClient> GreetAsync()
    {
        var client = await ConnectAsync();
        Assert.StartsWith("220 ", await client.ReadLineAsync(Ct));
        return client;
    }

    /// <summary>Connected, EHLO said, and logged in where <paramref name="login"/> says so.</summary>
    public async Task<RawClient> HelloAsync(bool login = false)
    {
        var client = await GreetAsync();
        Assert.StartsWith("250 ", await client.SayAsync("EHLO c", Ct));
        if (login)
            Assert.StartsWith("235 ", await client.SayAsync("AUTH PLAIN AGFsaWNlAHNlY3JldA==", Ct));
        return client;
    }

    /// <summary>A whole transaction on a session that has said EHLO; the reply behind the final dot.</summary>
    public async Task<string?> SendAsync(RawClient client, string content = "hello")
    {
        Assert.StartsWith("250 ", await client.SayAsync("MAIL FROM:<a@example.org>", Ct));
        Assert.StartsWith("250 ", await client.SayAsync("RCPT TO:<b@accepted.example>", Ct));
        Assert.StartsWith("354 ", await client.SayAsync("DATA", Ct));
        return await client.SayAsync(content + "\r\n.", Ct);
    }

    /// <summary>A client that behaves is served now.</summary>
    public async Task AssertServesAsync()
    {
        await using var client = await HelloAsync();
        Assert.StartsWith("250 2.0.0 Queued", await SendAsync(client));
    }

    /// <summary>How the next session ended.</summary>
    public async Task<string> ClosedAsync()
    {
        await closed.WaitAsync(Ct);
        return Closed.TryDequeue(out var reason) ? reason : string.Empty;
    }

    /// <summary>So many sessions have begun.</summary>
    public Task OpenedAsync(int sessions) => UntilAsync(() => Volatile.Read(ref opened) >= sessions);

    /// <summary>Every session has ended and given its place back.</summary>
    public Task EmptyAsync() => UntilAsync(() => Server.Connections == 0);

    /// <summary>For what no event tells: turns until it is so, or the test's patience ends.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            Ct.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public void Tick(int seconds = 1) => Clock.Advance(TimeSpan.FromSeconds(seconds));

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        patience.Dispose();
        closed.Dispose();
    }

    void ISmtpEvents.OnConnected(SessionState session) => Interlocked.Increment(ref opened);

    void ISmtpEvents.OnFault(SessionState session, Exception fault) => Faults.Enqueue(fault);

    void ISmtpEvents.OnGaugeFault(string gauge, Exception fault) => Faults.Enqueue(fault);

    void ISmtpEvents.OnTurnedAway(string listener, IPAddress client, TurnAwayCause cause, string reason) => TurnedAway.Enqueue(reason);

    void ISmtpEvents.OnLoadChanged(LoadState state, string gauge, double value) => Loads.Enqueue((state, gauge, value));

    void ISmtpEvents.OnClosed(SessionState session, string reason)
    {
        Closed.Enqueue(reason);
        if (!patience.IsCancellationRequested)
            closed.Release();
    }
}
