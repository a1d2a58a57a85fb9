using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Interop.Tests.Server;

/// <summary>Stands between one client and the server: passes SMTP on, ends the client's TLS with this certificate, and begins its own with the server.</summary>
internal sealed class TlsInTheMiddle : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, port: 0);
    private readonly CancellationTokenSource ending = new();
    private readonly Task relaying;

    public TlsInTheMiddle(int serverPort, X509Certificate2 certificate)
    {
        listener.Start();
        relaying = RelayAsync(serverPort, certificate, ending.Token);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await relaying;
        ending.Dispose();
    }

    private async Task RelayAsync(int serverPort, X509Certificate2 certificate, CancellationToken ct)
    {
        try
        {
            using var client = await listener.AcceptTcpClientAsync(ct);
            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, serverPort, ct);
            var (near, far) = (client.GetStream(), server.GetStream());
            await PassReplyAsync(far, near, ct);
            for (var line = string.Empty; line != "STARTTLS";)
            {
                line = await LineAsync(near, ct);
                await SayAsync(far, line, ct);
                await PassReplyAsync(far, near, ct);
            }

            await using var clientTls = new SslStream(near);
            await using var serverTls = new SslStream(far, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
            await clientTls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, ct);
            await serverTls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = clientTls.SslProtocol }, ct);
            await Task.WhenAny(clientTls.CopyToAsync(serverTls, ct), serverTls.CopyToAsync(clientTls, ct));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The dialogue is over.
        }
    }

    private static async Task PassReplyAsync(NetworkStream from, NetworkStream to, CancellationToken ct)
    {
        string line;
        do
        {
            line = await LineAsync(from, ct);
            await SayAsync(to, line, ct);
        }
        while (line.Length > 3 && line[3] == '-');
    }

    private static ValueTask SayAsync(NetworkStream to, string line, CancellationToken ct) => to.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n"), ct);

    /// <summary>Octet by octet: what comes behind it is somebody else's.</summary>
    private static async Task<string> LineAsync(NetworkStream from, CancellationToken ct)
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        while (await from.ReadAsync(octet, ct) == 1)
        {
            if (octet[0] == '\n')
                return line.ToString().TrimEnd('\r');
            line.Append((char)octet[0]);
        }

        throw new IOException("the line does not end");
    }
}
