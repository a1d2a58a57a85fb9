using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Events;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>Somebody has to be asked whether a login is right, and does not answer; the client waits, or does not.</summary>
public sealed class ClientLeavesDuringLoginTests : IAsyncDisposable
{
    private static readonly string Login = $"AUTH PLAIN {SmtpDialogue.Plain("lisa", "tiger")}";

    private readonly NeverAnswers store = new();
    private readonly ManualClock clock = new(); // no deadline passes by itself
    private readonly Attempts attempts = new();
    private readonly SmtpServer server;

    public ClientLeavesDuringLoginTests()
    {
        var here = new IPEndPoint(IPAddress.Loopback, 0);
        server = new SmtpServer(new SmtpServerOptions
        {
            Listeners =
            [
                new SmtpListenerOptions { Name = "clear", Endpoints = [here], Tls = TlsMode.None, Auth = AuthMode.Always },
                new SmtpListenerOptions { Name = "secured", Endpoints = [here], Tls = TlsMode.Implicit },
            ],
            Tls = new TlsOptions(TestCertificate.Instance),
            Store = new MemoryStore(),
            Sasl = new() { Passwords = store },
            Events = attempts,
            Clock = clock,
        });
        server.Start();
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_question_is_withdrawn_soon_and_the_attempt_is_told(bool isSecured)
    {
        await using (var client = await SmtpDialogue.GreetAsync(server.Endpoints[isSecured ? 1 : 0].Endpoint, implicitTls: isSecured))
        {
            await client.SayAsync("EHLO client.example", "250");
            await client.WriteAsync(Login + "\r\n");
            await store.AskedAsync();
        }

        while (!store.IsWithdrawn)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(10, Cancelled);
        }

        Assert.Equal(("PLAIN", null, "the client left during authentication"), await attempts.NextAsync());
    }

    [Fact]
    public async Task A_connection_that_breaks_is_one_that_was_left()
    {
        using (var client = await BeginAsync(Login))
        {
            await store.AskedAsync();
            client.LingerState = new LingerOption(enable: true, seconds: 0); // a reset
        }

        await store.WithdrawnAsync();
    }

    [Fact]
    public async Task Who_stays_gets_the_answer_and_whoever_has_said_more_already_has_that_answered_too()
    {
        using var client = await BeginAsync(Login + "\r\nNOOP\r\nQUIT");
        using var reader = new StreamReader(new NetworkStream(client));
        client.Shutdown(SocketShutdown.Send); // a script behind a pipe: all has been said, and is to be answered
        await store.AskedAsync();

        store.Answer.SetResult(new LoginAnswer.Match("lisa"));

        var said = await reader.ReadToEndAsync(Cancelled);
        Assert.Contains("235 2.7.0", said, StringComparison.Ordinal);
        Assert.Contains("221 2.0.0", said, StringComparison.Ordinal);
        Assert.False(store.IsWithdrawn);
    }

    /// <summary>A script behind a pipe, which says all and closes its side: it still listens.</summary>
    [Fact]
    public async Task Who_says_no_more_gets_an_answer_that_comes_soon()
    {
        using var client = await BeginAsync(Login);
        using var reader = new StreamReader(new NetworkStream(client));
        client.Shutdown(SocketShutdown.Send);
        await store.AskedAsync();
        await Task.Delay(200, Cancelled); // so that its end is seen before the answer

        store.Answer.SetResult(new LoginAnswer.Match("lisa"));

        Assert.Contains("235 2.7.0", await reader.ReadToEndAsync(Cancelled), StringComparison.Ordinal);
        Assert.False(store.IsWithdrawn);
    }

    /// <summary>A program may hand over any stream.</summary>
    [Fact]
    public async Task A_stream_that_heeds_no_cancelled_read_gets_its_answer_too()
    {
        using var bridge = new TcpListener(IPAddress.Loopback, 0);
        bridge.Start();
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(bridge.LocalEndpoint, Cancelled);
        var stream = new DeafStream(await bridge.AcceptSocketAsync(Cancelled));
        var session = server.ServeAsync(stream, client.LocalEndPoint!, new SmtpListenerOptions { Name = "handed over", Tls = TlsMode.None, Auth = AuthMode.Always }, Cancelled);
        using var reader = new StreamReader(new NetworkStream(client));
        await client.SendAsync(Encoding.ASCII.GetBytes($"EHLO client.example\r\n{Login}\r\n"), Cancelled);
        await store.AskedAsync();

        store.Answer.SetResult(new LoginAnswer.Match("lisa"));

        while (await reader.ReadLineAsync(Cancelled) is { } line && !line.StartsWith("235 ", StringComparison.Ordinal))
            Assert.StartsWith("2", line, StringComparison.Ordinal);
        client.Shutdown(SocketShutdown.Both);
        await session;
    }

    private async Task<Socket> BeginAsync(string lines)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.Endpoints[0].Endpoint, Cancelled);
        await client.SendAsync(Encoding.ASCII.GetBytes($"EHLO client.example\r\n{lines}\r\n"), Cancelled);
        return client;
    }

    private sealed class NeverAnswers : IPasswordVerifier
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource withdrawn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<LoginAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsWithdrawn => withdrawn.Task.IsCompleted;

        public Task AskedAsync() => asked.Task.WaitAsync(Cancelled);

        public Task WithdrawnAsync() => withdrawn.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancelled);

        public async ValueTask<LoginAnswer> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
        {
            asked.TrySetResult();
            try
            {
                return await Answer.Task.WaitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                withdrawn.TrySetResult();
                throw;
            }
        }
    }

    private sealed class DeafStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer, CancellationToken.None);
    }

    private sealed class Attempts : ISmtpEvents
    {
        private readonly Channel<LoginAttempt> told = Channel.CreateUnbounded<LoginAttempt>();

        public void OnLogin(SessionState session, LoginAttempt attempt) => told.Writer.TryWrite(attempt);

        public async Task<(string, object?, string)> NextAsync()
        {
            var attempt = await told.Reader.ReadAsync(Cancelled);
            return (attempt.Mechanism, attempt.Error, attempt.Reason);
        }
    }
}
