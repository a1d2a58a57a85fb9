using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Testing;

/// <summary>
/// A small server of HTTP/1.1 on loopback that answers as a test says, and can do what a server should not: say nothing, end in the middle,
/// answer with anything at all. Connections are kept.
/// </summary>
public sealed class WebServer : IAsyncDisposable
{
    private const int MostOfHead = 64 * 1024;

    private readonly Func<WebQuestion, WebReply> answer;
    private readonly Lock gate = new();
    private readonly List<TcpClient> open = [];
    private readonly ConcurrentQueue<WebQuestion> asked = new();
    private TcpListener? listener;
    private TaskCompletionSource? silence;
    private int port;

    /// <param name="certificate">With its key; null for a server without TLS.</param>
    public WebServer(Func<WebQuestion, WebReply> answer, X509Certificate2? certificate = null)
    {
        this.answer = answer;
        Certificate = certificate;
        Start();
    }

    public int Port => port;

    /// <summary>Shown to whoever connects from now on.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Clients are asked for a certificate; what they show is in the question.</summary>
    public bool AsksForCertificate { get; init; }

    /// <summary>Every question so far, in order.</summary>
    public IReadOnlyList<WebQuestion> Asked => [.. asked];

    /// <summary>Connections that came so far.</summary>
    public int Connections { get; private set; }

    public void Start()
    {
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = AcceptAsync(listener);
    }

    /// <summary>Nobody can connect, and who is connected is cut off.</summary>
    public void Stop()
    {
        listener?.Stop();
        listener = null;
        CutOff();
    }

    /// <summary>Ends every connection that there is; new ones are taken.</summary>
    public void CutOff()
    {
        lock (gate)
        {
            open.ForEach(static c => c.Dispose());
            open.Clear();
        }
    }

    /// <summary>Takes connections and questions, and answers nothing until <see cref="Speak"/>.</summary>
    public void FallSilent() => silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Speak()
    {
        silence?.TrySetResult();
        silence = null;
    }

    public ValueTask DisposeAsync()
    {
        Speak();
        Stop();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(TcpListener on)
    {
        try
        {
            while (true)
            {
                var client = await on.AcceptTcpClientAsync();
                lock (gate)
                {
                    Connections++;
                    open.Add(client);
                }

                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                await using var stream = Certificate is { } certificate ? await SecureAsync(client, certificate) : client.GetStream();
                await using var input = new BufferedStream(stream, 16 * 1024);
                while (await ReadAsync(input, (stream as SslStream)?.RemoteCertificate) is { } question)
                {
                    asked.Enqueue(question);
                    if (silence is { } quiet)
                        await quiet.Task;
                    var reply = answer(question);
                    await stream.WriteAsync(reply.Raw ?? Write(reply));
                    if (reply.Raw is not null)
                        return;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // Whoever asked has gone, or does not trust this one.
        }
    }

    private async Task<Stream> SecureAsync(TcpClient client, X509Certificate2 certificate)
    {
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
            ClientCertificateRequired = AsksForCertificate,
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        });
        return tls;
    }

    private static async Task<WebQuestion?> ReadAsync(Stream stream, X509Certificate? certificate)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (head.Count < 4 || !EndsHead(head))
        {
            if (head.Count > MostOfHead || await stream.ReadAsync(one) == 0)
                return null;
            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var fields = lines.Skip(1).Select(static line => line.Split(": ", 2)).ToDictionary(static f => f[0], static f => f[1], StringComparer.OrdinalIgnoreCase);
        var body = new byte[fields.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body);
        var words = lines[0].Split(' ');
        return new WebQuestion(words[0], words[1], fields, body) { Certificate = certificate?.Subject };
    }

    private static bool EndsHead(List<byte> head) =>
        head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n' && head[^4] == '\r';

    private static byte[] Write(WebReply reply)
    {
        var body = Encoding.UTF8.GetBytes(reply.Body);
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {reply.Status} X\r\nContent-Type: {reply.Type}\r\nContent-Length: {body.Length}\r\n{string.Concat(reply.Fields.Select(static f => $"{f.Name}: {f.Value}\r\n"))}\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}

/// <summary>What a <see cref="WebServer"/> was asked.</summary>
/// <param name="Path">As it came, with its escapes.</param>
public sealed record WebQuestion(string Method, string Path, IReadOnlyDictionary<string, string> Fields, byte[] Body)
{
    /// <summary>Of the client; null for none.</summary>
    public string? Certificate { get; init; }

    public string Text => Encoding.UTF8.GetString(Body);
}

/// <summary>What it answers.</summary>
public sealed record WebReply(int Status, string Body, string Type = "application/json")
{
    public IReadOnlyList<(string Name, string Value)> Fields { get; init; } = [];

    /// <summary>In place of all that: these octets, and then the end of the connection.</summary>
    public byte[]? Raw { get; init; }
}
