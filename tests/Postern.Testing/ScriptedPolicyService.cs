using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Testing;

/// <summary>A policy service that says what a test wants, octet for octet: also half an answer, two of them, nothing, or the end.</summary>
public sealed class ScriptedPolicyService : IAsyncDisposable
{
    private readonly Func<IReadOnlyDictionary<string, string>, Said> answer;
    private readonly Socket listener;
    private readonly string? path;
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentQueue<IReadOnlyDictionary<string, string>> asked = new();
    private readonly ConcurrentBag<Socket> open = [];
    private int connections;

    /// <param name="path">Of a Unix socket; null: TCP.</param>
    public ScriptedPolicyService(Func<IReadOnlyDictionary<string, string>, Said> answer, string? path = null)
    {
        this.answer = answer;
        this.path = path;
        listener = path is null
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(path is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(path));
        listener.Listen();
        _ = AcceptAsync();
    }

    public ScriptedPolicyService(string action)
        : this(_ => Said.Action(action))
    {
    }

    public string Place => path is null ? $"inet:127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}" : $"unix:{path}";

    /// <summary>Every question so far, in order.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Asked => [.. asked];

    /// <summary>Connections that came so far.</summary>
    public int Connections => Volatile.Read(ref connections);

    /// <summary>Ends every connection there is.</summary>
    public void CutOff()
    {
        while (open.TryTake(out var one))
            one.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        // Not disposed: a test may end it before its end.
        await ending.CancelAsync();
        listener.Dispose();
        CutOff();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(ending.Token);
                Interlocked.Increment(ref connections);
                open.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // It was stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using var stream = new NetworkStream(client, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            while (true)
            {
                var question = new Dictionary<string, string>(StringComparer.Ordinal);
                while (await reader.ReadLineAsync(ending.Token) is { } line)
                {
                    if (line.Length == 0)
                        break;
                    var equals = line.IndexOf('=', StringComparison.Ordinal);
                    question.Add(line[..equals], line[(equals + 1)..]);
                }

                if (question.Count == 0)
                    return;
                asked.Enqueue(question);
                var said = answer(question);
                await stream.WriteAsync(said.Octets, ending.Token);
                if (said.Ends)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Whoever asked has gone.
        }
    }

    /// <param name="Ends">The connection, behind it.</param>
    public sealed record Said(byte[] Octets, bool Ends = false)
    {
        public static Said Nothing { get; } = new([]);

        public static Said Action(string action) => Text($"action={action}\n\n");

        public static Said Text(string text, bool ends = false) => new(Encoding.UTF8.GetBytes(text), ends);
    }
}
