using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Net.Sockets;
using System.Text;

namespace Postern.Commands.Try;

/// <summary>A mail client typed by hand: says a line, shows it, checks the reply.</summary>
internal sealed class TryDialogue : IAsyncDisposable
{
    private readonly TcpClient socket;
    private readonly TryScreen screen;
    private Stream stream;
    private StreamReader reader;

    private TryDialogue(TcpClient socket, TryScreen screen)
    {
        this.socket = socket;
        this.screen = screen;
        stream = socket.GetStream();
        reader = new StreamReader(stream, Encoding.ASCII, detectEncodingFromByteOrderMarks: false, bufferSize: 1024, leaveOpen: true);
    }

    /// <summary>Connects, shakes hands at once with <paramref name="implicitTls"/>, and reads the greeting.</summary>
    public static async Task<TryDialogue> ConnectAsync(IPEndPoint server, TryScreen screen, bool implicitTls, CancellationToken ct)
    {
        var connection = new TcpClient(server.AddressFamily) { NoDelay = true };
        await connection.ConnectAsync(server, ct);
        var dialogue = new TryDialogue(connection, screen);
        screen.Note($"connected to {server}");
        if (implicitTls)
            await dialogue.ShakeHandsAsync(ct);
        await dialogue.ExpectAsync("220", ct);
        return dialogue;
    }

    public async Task StartTlsAsync(CancellationToken ct)
    {
        await SayAsync("STARTTLS", "220", ct);
        await ShakeHandsAsync(ct);
    }

    /// <summary>Says one line and expects a reply that begins with <paramref name="expected"/>; answers with its last line.</summary>
    /// <param name="shown">What to show in place of the line where it holds a secret.</param>
    public async Task<string> SayAsync(string line, string expected, CancellationToken ct, string? shown = null)
    {
        screen.Client(shown ?? line);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), ct);
        return await ExpectAsync(expected, ct);
    }

    public async ValueTask DisposeAsync()
    {
        reader.Dispose();
        await stream.DisposeAsync();
        socket.Dispose();
    }

    /// <summary>Reads one reply, shown in one line however many it has; answers with its last line.</summary>
    private async Task<string> ExpectAsync(string expected, CancellationToken ct)
    {
        List<string> lines = [];
        do
            lines.Add(
                await reader.ReadLineAsync(ct) ?? throw new TryFailure($"the server closed the connection where {expected} was expected"));
        while (lines[^1].Length > 3 && lines[^1][3] == '-');

        screen.Server(lines.Count == 1 ? lines[0] : $"{lines[0][..3]} {string.Join(" | ", lines.Select(static l => l[4..]))}");
        return lines[^1].StartsWith(expected, StringComparison.Ordinal)
            ? lines[^1]
            : throw new TryFailure($"expected {expected}, got: {lines[^1]}");
    }

    private async Task ShakeHandsAsync(CancellationToken ct)
    {
        reader.Dispose();
#pragma warning disable CA5359 // the certificate was made a moment ago by this very process
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
#pragma warning restore CA5359
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = TryWorld.Hostname,
            CertificateChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        }, ct);
        screen.Note($"TLS handshake: {tls.SslProtocol}, {tls.NegotiatedCipherSuite}");
        stream = tls;
        reader = new StreamReader(stream, Encoding.ASCII, detectEncodingFromByteOrderMarks: false, bufferSize: 1024, leaveOpen: true);
    }
}
