using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>An HTTPS server on loopback with one answer for everything, and what it was asked.</summary>
internal sealed class PolicyServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly ConcurrentQueue<string> requests = new();
    private readonly Task serving;

    public PolicyServer(X509Certificate2 certificate)
    {
        Certificate = certificate;
        listener.Start();
        serving = Task.Run(ServeAsync);
    }

    public X509Certificate2 Certificate { get; set; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public string Body { get; set; } = string.Empty;

    public int Status { get; set; } = 200;

    public string ContentType { get; set; } = "text/plain; charset=us-ascii";

    /// <summary>Of further header fields, each with its CRLF.</summary>
    public string Fields { get; set; } = string.Empty;

    public bool IsSilent { get; set; }

    /// <summary>Method, path and Host of each request, and what was sent with it.</summary>
    public IReadOnlyList<string> Requests => [.. requests];

    public static string Policy(string mode, int maxAge, params string[] mx) =>
        $"version: STSv1\r\nmode: {mode}\r\n{string.Concat(mx.Select(static m => $"mx: {m}\r\n"))}max_age: {maxAge.ToString(CultureInfo.InvariantCulture)}\r\n";

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Dispose();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            var client = await listener.AcceptTcpClientAsync(closing.Token);
            _ = Task.Run(async () =>
            {
                using (client)
                    await AnswerAsync(client);
            });
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(Certificate, additionalCertificates: null, offline: true) }, closing.Token);
        var buffer = new byte[256 * 1024];
        var read = 0;
        while (!Encoding.Latin1.GetString(buffer, 0, read).Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await tls.ReadAsync(buffer.AsMemory(read), closing.Token) is not (> 0 and var octets))
                return;
            read += octets;
        }

        var text = Encoding.Latin1.GetString(buffer, 0, read);
        var lines = text.Split("\r\n");
        requests.Enqueue($"{lines[0].Split(' ')[0]} {lines[0].Split(' ')[1]} {lines.First(static l => l.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))[5..].Trim().Split(':')[0]}");
        if (IsSilent)
            await Task.Delay(Timeout.InfiniteTimeSpan, closing.Token);
        var body = Encoding.UTF8.GetBytes(Body);
        await tls.WriteAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 {Status} Word\r\nContent-Type: {ContentType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n{Fields}\r\n"), closing.Token);
        await tls.WriteAsync(body, closing.Token);
        await tls.ShutdownAsync();
    }
}
