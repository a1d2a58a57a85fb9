using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Bench;

/// <summary>
/// The world of <see cref="QueuedRounds"/>, as a process of its own: a name server that knows an exchanger for each destination, and the
/// exchangers. The first hundred take mail; of the others one half refuses connections, the other takes them and says nothing.
/// </summary>
internal static class QueuedHops
{
    public const string Verb = "queued-hops";

    public const int Destinations = 10_000;

    public const int Living = 100;

    /// <summary>A field of live mail: when it was sent, by <see cref="Stopwatch"/>, which is the same in all processes.</summary>
    public const string SentField = "X-Sent: ";

    public static async Task<int> RunAsync()
    {
        using var silent = new SilentHosts();
        var store = new TimingStore();
        var options = new SmtpServerOptions
        {
            Hostname = "hop.example.org",
            Listeners =
            [
                new SmtpListenerOptions
                {
                    Name = "hop",
                    Endpoints = [.. Enumerable.Range(0, Living).Select(i => new IPEndPoint(AddressOf(i), silent.Port))],
                    Tls = TlsMode.None,
                    Auth = AuthMode.Off,
                },
            ],
            Store = store,
            Policy = EnvelopePolicy.From(static (_, _, _) => new(new Verdict.Permit("bench"))),
            MaxConnectionsPerAddress = 20_000,
        };
        await using var server = new SmtpServer(options);
        server.Start();
        using var names = new NameServer();
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{silent.Port} {names.Port}")).ConfigureAwait(false);
        while (await Console.In.ReadLineAsync().ConfigureAwait(false) is not null)
            await Console.Out.WriteLineAsync(store.Report()).ConfigureAwait(false);
        return 0;
    }

    public static string DomainOf(int destination) => string.Create(CultureInfo.InvariantCulture, $"d{destination}.example.com");

    private static bool IsSilent(int destination) => destination >= Living && destination % 2 == 0;

    private static IPAddress AddressOf(int destination) =>
        new([127, (byte)(IsSilent(destination) ? 2 : 1), (byte)(destination / 250), (byte)(1 + (destination % 250))]);

    /// <summary>Takes connections and never says a word.</summary>
    private sealed class SilentHosts : IDisposable
    {
        private readonly List<Socket> listeners = [];
        private readonly List<Socket> accepted = [];

        public SilentHosts()
        {
            for (var i = Living; i < Destinations; i++)
            {
                if (!IsSilent(i))
                    continue;
                var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                listener.Bind(new IPEndPoint(AddressOf(i), Port));
                Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
                listener.Listen(64);
                listeners.Add(listener);
            }
        }

        /// <summary>The same at every address.</summary>
        public int Port { get; private set; }

        public void Dispose()
        {
            foreach (var socket in listeners.Concat(accepted))
                socket.Dispose();
        }
    }

    /// <summary>Knows one exchanger and its address for each destination; nothing else is there.</summary>
    private sealed class NameServer : IDisposable
    {
        private const int HeaderLength = 12;
        private const ushort TypeA = 1;
        private const ushort TypeMx = 15;
        private const string Host = "mx.";

        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

        public NameServer()
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

        public void Dispose() => socket.Dispose();

        private async Task ServeAsync()
        {
            var octets = new byte[512];
            while (true)
            {
                try
                {
                    var question = await socket.ReceiveFromAsync(octets, new IPEndPoint(IPAddress.Any, 0)).ConfigureAwait(false);
                    await socket.SendToAsync(Answer(octets.AsSpan(0, question.ReceivedBytes)), question.RemoteEndPoint).ConfigureAwait(false);
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
                catch (SocketException)
                {
                    // Whoever asked is gone.
                }
            }
        }

        private static byte[] Answer(ReadOnlySpan<byte> question)
        {
            var (at, labels) = (HeaderLength, new List<string>());
            for (; question[at] > 0; at += 1 + question[at])
                labels.Add(Encoding.ASCII.GetString(question.Slice(at + 1, question[at])));
            var name = string.Join('.', labels);
            var type = BinaryPrimitives.ReadUInt16BigEndian(question[(at + 1)..]);
            var end = at + 5;
            var isHost = name.StartsWith(Host, StringComparison.Ordinal);
            var data = type switch
            {
                TypeMx when !isHost => [0, 10, 2, (byte)'m', (byte)'x', 0xC0, HeaderLength],
                TypeA when isHost && int.TryParse(labels[1].AsSpan(1), CultureInfo.InvariantCulture, out var i) => AddressOf(i).GetAddressBytes(),
                _ => Array.Empty<byte>(),
            };
            var answer = new ArrayBufferWriter<byte>(512);
            answer.Write<byte>(question[..end].ToArray());
            if (data.Length > 0)
            {
                answer.Write<byte>([0xC0, HeaderLength, 0, (byte)type, 0, 1, 0, 0, 14, 16, 0, (byte)data.Length]);
                answer.Write<byte>(data.AsSpan());
            }

            var octets = answer.WrittenSpan.ToArray();
            (octets[2], octets[3]) = (0x81, 0x80);
            octets[7] = (byte)(data.Length > 0 ? 1 : 0);
            octets.AsSpan(8, 4).Clear();
            return octets;
        }
    }

    /// <summary>Reads off each message how long it took to come here.</summary>
    private sealed class TimingStore : IMessageStore
    {
        private static readonly StoreOutcome Stored = new StoreOutcome.Stored("1");

        private readonly Lock gate = new();
        private List<double> took = [];

        public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) =>
            new(new DraftAnswer.Open(new Draft(this)));

        /// <summary>How many came since the last report, and in how many milliseconds: half, 99 of 100, all of them.</summary>
        public string Report()
        {
            List<double> seen;
            lock (gate)
                (seen, took) = (took, []);
            seen.Sort();
            return string.Create(CultureInfo.InvariantCulture, $"{seen.Count} {Percentiles.Of(seen, 0.5):0.0} {Percentiles.Of(seen, 0.99):0.0} {Percentiles.Of(seen, 1):0.0}");
        }

        private sealed class Draft(TimingStore store) : IMessageDraft
        {
            private readonly ArrayBufferWriter<byte> content = new();

            public ValueTask AppendAsync(ReadOnlyMemory<byte> part, CancellationToken ct)
            {
                content.Write(part.Span);
                return ValueTask.CompletedTask;
            }

            public ValueTask<StoreOutcome> CommitAsync(CancellationToken ct)
            {
                var text = Encoding.ASCII.GetString(content.WrittenSpan);
                var at = text.IndexOf(SentField, StringComparison.Ordinal) + SentField.Length;
                var sent = long.Parse(text.AsSpan(at, text.IndexOf('\r', at) - at), CultureInfo.InvariantCulture);
                lock (store.gate)
                    store.took.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                return new(Stored);
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}

internal static class Percentiles
{
    /// <summary>Of values in order; 0 where there is none.</summary>
    public static double Of(List<double> sorted, double part) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))];
}
