using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Postern.Smtp;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>
/// Next hops in a process of their own, which take everything, on every address of this machine and one port; as far away as is said.
/// </summary>
internal sealed class HopProcess : IDisposable
{
    public const string Verb = "hops";
    public const string User = "relay";
    public const string Password = "relay-secret";

    private readonly Process process;

    private HopProcess(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    /// <param name="latency">Of a round trip, in milliseconds.</param>
    public static async Task<HopProcess> StartAsync(int latency)
    {
        var started = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. Arguments(latency)])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        return new HopProcess(started, int.Parse((await started.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, CultureInfo.InvariantCulture));
    }

    /// <summary>How many messages and connections there were.</summary>
    public async Task<(int Messages, int Connections)> EndAsync()
    {
        process.StandardInput.Close();
        var words = (await process.StandardOutput.ReadToEndAsync().ConfigureAwait(false)).Split(' ');
        await process.WaitForExitAsync().ConfigureAwait(false);
        return (int.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    /// <summary>
    /// The process itself: says where it listens, what it has had for each line of its input, and the same when that ends.
    /// </summary>
    /// <param name="certificate">Shown in the place of one that is for nobody.</param>
    public static async Task<int> RunAsync(int latency, X509Certificate2? certificate = null)
    {
        var (store, proxy) = (new CountingStore(), (DelayLine?)null);
        var options = new SmtpServerOptions
        {
            Hostname = "hop.example.org",
            Listeners =
            [
                new SmtpListenerOptions { Name = "hop", Endpoints = [new IPEndPoint(IPAddress.Any, 0)], Tls = TlsMode.StartTls, Auth = AuthMode.TlsOnly },
            ],
            Tls = new TlsOptions(certificate ?? TestCertificate.Instance),
            Store = store,
            MaxConnectionsPerAddress = 20_000,
        };
        options.Authenticate(static (user, password, _) => new(user == User && password.Matches(Password)));
        await using var server = new SmtpServer(options);
        server.Start();
        var endpoint = server.Endpoints[0].Endpoint;
        if (latency > 0)
            endpoint = (proxy = new DelayLine(new IPEndPoint(IPAddress.Loopback, endpoint.Port), TimeSpan.FromMilliseconds(latency / 2.0))).Endpoint;
        await Console.Out.WriteLineAsync(endpoint.Port.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
        while (await Console.In.ReadLineAsync().ConfigureAwait(false) is not null)
            await Console.Out.WriteLineAsync($"{store.Messages} {proxy?.Connections ?? 0}").ConfigureAwait(false);
        await Console.Out.WriteAsync($"{store.Messages} {proxy?.Connections ?? 0}").ConfigureAwait(false);
        proxy?.Dispose();
        return 0;
    }

    private static IEnumerable<string> Arguments(int latency)
    {
        // Started by the shared host, the process is that host.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            yield return typeof(HopProcess).Assembly.Location;
        yield return Verb;
        yield return latency.ToString(CultureInfo.InvariantCulture);
    }

    private sealed class CountingStore : IMessageStore
    {
        private static readonly StoreOutcome Stored = new StoreOutcome.Stored("1");

        private int messages;

        public int Messages => messages;

        public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
            new(new DraftAnswer.Open(new Draft(this)));

        private sealed class Draft(CountingStore store) : IMessageDraft
        {
            public ValueTask AppendAsync(ReadOnlyMemory<byte> content, CancellationToken ct) => ValueTask.CompletedTask;

            public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
            {
                Interlocked.Increment(ref store.messages);
                return new(Stored);
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}

/// <summary>Hands on what comes and goes, in order, each piece half a round trip later.</summary>
internal sealed class DelayLine : IDisposable
{
    private const int PieceOctets = 64 * 1024;

    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint target;
    private readonly TimeSpan delay;
    private int connections;

    public DelayLine(IPEndPoint target, TimeSpan delay)
    {
        (this.target, this.delay) = (target, delay);
        listener.Bind(new IPEndPoint(IPAddress.Any, 0));
        listener.Listen(4096);
        _ = AcceptAsync();
    }

    public IPEndPoint Endpoint => (IPEndPoint)listener.LocalEndPoint!;

    public int Connections => connections;

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptAsync().ConfigureAwait(false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        Interlocked.Increment(ref connections);
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            try
            {
                // The handshake of TCP takes a round trip, too.
                await Task.Delay(delay).ConfigureAwait(false);
                await server.ConnectAsync(target).ConfigureAwait(false);
                await Task.WhenAll(CarryAsync(client, server), CarryAsync(server, client)).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // One side is gone: so is the other.
            }
        }
    }

    private async Task CarryAsync(Socket from, Socket to)
    {
        var line = Channel.CreateUnbounded<(byte[] Piece, int Length, long At)>();
        var sending = SendAsync(line.Reader, to);
        try
        {
            while (true)
            {
                var piece = ArrayPool<byte>.Shared.Rent(PieceOctets);
                var length = await from.ReceiveAsync(piece).ConfigureAwait(false);
                line.Writer.TryWrite((piece, length, Stopwatch.GetTimestamp()));
                if (length == 0)
                    break;
            }
        }
        finally
        {
            line.Writer.Complete();
            await sending.ConfigureAwait(false);
        }
    }

    private async Task SendAsync(ChannelReader<(byte[] Piece, int Length, long At)> line, Socket to)
    {
        await foreach (var (piece, length, at) in line.ReadAllAsync().ConfigureAwait(false))
        {
            var wait = delay - Stopwatch.GetElapsedTime(at);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait).ConfigureAwait(false);
            if (length > 0)
                await to.SendAsync(piece.AsMemory(0, length)).ConfigureAwait(false);
            else
                to.Shutdown(SocketShutdown.Send);
            ArrayPool<byte>.Shared.Return(piece);
        }
    }
}
