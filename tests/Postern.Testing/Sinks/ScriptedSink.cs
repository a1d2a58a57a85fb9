using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Postern.Testing.Sinks;

/// <summary>
/// An SMTP server on loopback that takes every message, or misbehaves where its script says so, and remembers what it saw. Not a
/// model of a server: it obeys the client in any order.
/// </summary>
public sealed class ScriptedSink : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentQueue<SinkMessage> messages = new();
    private readonly ConcurrentQueue<IPAddress> peers = new();
    private readonly ConcurrentDictionary<int, SinkSession> sessions = new();
    private readonly Channel<SinkMessage> arrivals = Channel.CreateUnbounded<SinkMessage>();
    private readonly Task accepting;

    /// <param name="address">Where it listens; null for 127.0.0.1.</param>
    public ScriptedSink(SinkOptions? options = null, IPAddress? address = null)
    {
        listener = new TcpListener(address ?? IPAddress.Loopback, 0);
        Options = options ?? new SinkOptions();
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Read anew for each connection.</summary>
    public SinkOptions Options { get; set; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public IReadOnlyList<SinkMessage> Messages => [.. messages];

    /// <summary>Connections accepted so far.</summary>
    public int Connections => sessions.Count;

    /// <summary>The names that clients asked for in their handshakes (SNI); empty for one that asked for none.</summary>
    public ConcurrentQueue<string> AskedNames { get; } = new();

    /// <summary>Who connected, in order.</summary>
    public IReadOnlyList<IPAddress> Peers => [.. peers];

    /// <summary>Each connection's dialogue, lines <c>C: </c> and <c>S: </c>; content is not in it.</summary>
    public IReadOnlyList<string> Transcript(int connection) => sessions[connection].Transcript;

    /// <summary>Keeps nothing any more of what came so far; who reads messages as they arrive still gets each.</summary>
    public void Forget()
    {
        messages.Clear();
        peers.Clear();
        sessions.Clear();
    }

    /// <summary>The next message in order of arrival.</summary>
    public async Task<SinkMessage> NextMessageAsync() => await arrivals.Reader.ReadAsync(closing.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Every message in order of arrival, until <paramref name="ct"/> is cancelled. Shares the order with <see cref="NextMessageAsync"/>.</summary>
    public IAsyncEnumerable<SinkMessage> MessagesAsync(CancellationToken ct) => arrivals.Reader.ReadAllAsync(ct);

    public async Task<IReadOnlyList<SinkMessage>> NextMessagesAsync(int count)
    {
        var taken = new List<SinkMessage>();
        while (taken.Count < count)
            taken.Add(await NextMessageAsync());
        return taken;
    }

    public async ValueTask DisposeAsync()
    {
        if (closing.IsCancellationRequested)
            return;
        await closing.CancelAsync();
        listener.Stop();
        await accepting;
    }

    internal void Take(SinkMessage message)
    {
        if (Options.Taken is { } taken)
        {
            taken(message);
            return;
        }

        messages.Enqueue(message);
        arrivals.Writer.TryWrite(message);
    }

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync(closing.Token);
                socket.NoDelay = true;
                peers.Enqueue(((IPEndPoint)socket.RemoteEndPoint!).Address);
                var session = new SinkSession(this, socket, sessions.Count, closing.Token);
                sessions[session.Number] = session;
                running.Add(Task.Run(session.RunAsync));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // It was closed: while it waited, or between two connections.
            await Task.WhenAll(running);
        }
    }
}
