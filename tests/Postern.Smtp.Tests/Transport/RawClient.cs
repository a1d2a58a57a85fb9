using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Postern.Smtp.Tests.Transport;

/// <summary>Writes octets and reads lines, with none of a client's manners.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private readonly Socket socket;
    private Stream stream;

    private RawClient(Socket socket)
    {
        this.socket = socket;
        stream = new NetworkStream(socket, ownsSocket: false);
    }

    public static async Task<RawClient> ConnectAsync(SmtpServer server, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Endpoints[0].Endpoint.Port), ct);
        return new RawClient(socket);
    }

    public ValueTask SendAsync(string text, CancellationToken ct) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), ct);

    public ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct) => stream.WriteAsync(octets, ct);

    public async Task StartTlsAsync(CancellationToken ct)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        stream = tls;
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, ct);
    }

    /// <summary>Ends TLS from this side; the connection stays open.</summary>
    public Task CloseNotifyAsync(CancellationToken ct) => ((SslStream)stream).ShutdownAsync().WaitAsync(ct);

    /// <summary>Past TLS, if it is on.</summary>
    public async Task SendInClearAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
    {
        try
        {
            await socket.SendAsync(octets, SocketFlags.None, ct);
        }
        catch (SocketException)
        {
            // The server has gone already, which is as it should be.
        }
    }

    /// <summary>One line without CRLF; null when the server has closed.</summary>
    public async Task<string?> ReadLineAsync(CancellationToken ct)
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        try
        {
            while (await stream.ReadAsync(octet, ct) == 1)
            {
                line.Append((char)octet[0]);
                if (line.Length >= 2 && line[^1] == '\n' && line[^2] == '\r')
                    return line.ToString(0, line.Length - 2);
            }
        }
        catch (IOException)
        {
            return null;
        }

        return null;
    }

    /// <summary>Reads one reply to its last line.</summary>
    public async Task<string?> ReadReplyAsync(CancellationToken ct)
    {
        string? line;
        do
            line = await ReadLineAsync(ct);
        while (line is { Length: > 3 } && line[3] == '-');
        return line;
    }

    public async Task<string?> SayAsync(string line, CancellationToken ct)
    {
        await SendAsync(line + "\r\n", ct);
        return await ReadReplyAsync(ct);
    }

    /// <summary>Closes with a reset instead of a goodbye.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        socket.Dispose();
    }
}
