using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Postern.Testing;

/// <summary>A client that says what the test tells it to say, and shows every reply. Trusts any certificate; waits a minute at most.</summary>
public sealed class SmtpDialogue : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket socket;
    private readonly byte[] buffer = new byte[16 * 1024];
    private Stream stream;
    private int start;
    private int end;

    private SmtpDialogue(Socket socket)
    {
        this.socket = socket;
        stream = new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Connects without reading the greeting.</summary>
    /// <param name="source">This machine's address that the server sees; null for any.</param>
    public static async Task<SmtpDialogue> OpenAsync(IPEndPoint server, IPAddress? source = null)
    {
        var connecting = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var late = new CancellationTokenSource(Patience);
            if (source is not null)
                connecting.Bind(new IPEndPoint(source, 0));
            await connecting.ConnectAsync(server, late.Token);
            return new SmtpDialogue(connecting);
        }
        catch
        {
            connecting.Dispose();
            throw;
        }
    }

    /// <summary>Shown in handshakes; null for none.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Connects, greets, and says EHLO.</summary>
    public static async Task<SmtpDialogue> GreetAsync(
        IPEndPoint server, bool implicitTls = false, X509Certificate2? certificate = null, IPAddress? source = null)
    {
        var dialogue = await OpenAsync(server, source);
        dialogue.Certificate = certificate;
        try
        {
            if (implicitTls)
                await dialogue.SecureAsync();
            await dialogue.ExpectAsync("220");
            await dialogue.SayAsync("EHLO client.example", "250");
            return dialogue;
        }
        catch
        {
            await dialogue.DisposeAsync();
            throw;
        }
    }

    /// <summary>Says a line, and requires the reply to begin so.</summary>
    public async Task<string> SayAsync(string line, string expected)
    {
        await WriteAsync(line + "\r\n");
        return await ExpectAsync(expected, line);
    }

    /// <summary>Says a line.</summary>
    public async Task<string> AskAsync(string line)
    {
        await WriteAsync(line + "\r\n");
        return await ReadReplyAsync();
    }

    public async Task<string> ExpectAsync(string expected, string afterLine = "")
    {
        var reply = await ReadReplyAsync();
        return reply.StartsWith(expected, StringComparison.Ordinal)
            ? reply
            : throw new InvalidDataException($"expected {expected} after '{afterLine}', and the server said: {reply}");
    }

    public Task LogInAsync(string user, string password) => SayAsync($"AUTH PLAIN {Plain(user, password)}", "235");

    /// <summary>The initial response of PLAIN (RFC 4616).</summary>
    public static string Plain(string user, string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));

    /// <summary>One whole transaction; the reply behind the final dot.</summary>
    /// <param name="content">Lines end in CRLF, the last one too; none begins with a dot.</param>
    public async Task<string> SendAsync(string from, string to, string content)
    {
        await BeginDataAsync(from, to);
        return await AskAsync(content + ".");
    }

    /// <summary>MAIL, RCPT and DATA, up to 354.</summary>
    public async Task BeginDataAsync(string from, string to)
    {
        await SayAsync($"MAIL FROM:<{from}>", "250");
        await SayAsync($"RCPT TO:<{to}>", "250");
        await SayAsync("DATA", "354");
    }

    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task WriteAsync(ReadOnlyMemory<byte> octets)
    {
        using var late = new CancellationTokenSource(Patience);
        await stream.WriteAsync(octets, late.Token);
    }

    /// <summary>A whole reply, its lines separated by LF.</summary>
    /// <exception cref="EndOfStreamException">The server closed.</exception>
    public async Task<string> ReadReplyAsync()
    {
        var reply = new StringBuilder();
        while (true)
        {
            var line = await ReadLineAsync() ?? throw new EndOfStreamException($"the server closed after '{reply}'");
            reply.Append(line);
            if (line.Length < 4 || line[3] != '-')
                return reply.ToString();
            reply.Append('\n');
        }
    }

    /// <summary>Everything the server still says until it closes or resets.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        try
        {
            while (await ReadLineAsync() is { } line)
                text.Append(line).Append('\n');
        }
        catch (IOException)
        {
            // Reset: also an end.
        }

        return text.ToString();
    }

    /// <summary>STARTTLS and EHLO; the answer to the latter.</summary>
    public async Task<string> StartTlsAsync()
    {
        await SayAsync("STARTTLS", "220");
        await SecureAsync();
        return await SayAsync("EHLO client.example", "250");
    }

    /// <summary>Nothing more will be said; replies can still be read.</summary>
    public void EndOfInput() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Goes away without a word, by a reset.</summary>
    public void Vanish()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Close();
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async Task SecureAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        var tls = new SslStream(stream);
        stream = tls;
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                AllowTlsResume = Certificate is null, // a resumed session shows what it showed before
                ClientCertificateContext = Certificate is null ? null : SslStreamCertificateContext.Create(Certificate, additionalCertificates: null, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            },
            late.Token);
    }

    private async Task<string?> ReadLineAsync()
    {
        var searched = 0;
        while (true)
        {
            var newline = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = Encoding.Latin1.GetString(buffer, start, searched + newline).TrimEnd('\r');
                start += searched + newline + 1;
                return line;
            }

            searched = end - start;
            buffer.AsSpan(start, searched).CopyTo(buffer);
            (start, end) = (0, searched);
            using var late = new CancellationTokenSource(Patience);
            var read = await stream.ReadAsync(buffer.AsMemory(end), late.Token);
            if (read == 0)
                return null;
            end += read;
        }
    }
}
