using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// A connection to a syslog server: frames with their length before them (RFC 6587 §3.4.1, RFC 5425 §4.3). The protocol has no answers: the
/// system is told to break a connection whose other side has not acknowledged octets for a while (RFC 5482), so what is older than that
/// has got there.
/// </summary>
internal sealed class SyslogChannel : LogChannel
{
    private const int TcpLevel = 6;

    /// <summary>Linux: TCP_USER_TIMEOUT, in milliseconds.</summary>
    private const int UserTimeout = 18;

    private const int LeastTimeout = 1_000;

    private readonly ArrayBufferWriter<byte> frames = new();
    private readonly ArrayBufferWriter<byte> message = new();
    private readonly Socket socket;
    private readonly Stream stream;
    private readonly string hostname;
    private readonly Task<bool> ended;

    /// <param name="socket">Connected; belongs to <paramref name="stream"/>.</param>
    public SyslogChannel(Socket socket, Stream stream, string hostname, TimeSpan settling)
    {
        (this.socket, this.stream, this.hostname, Settling) = (socket, stream, hostname, settling);
        ended = WaitForEndAsync();
        if (!OperatingSystem.IsLinux())
            return;
        Span<byte> unanswered = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(unanswered, Math.Max(LeastTimeout, (int)(settling.TotalMilliseconds / 2)));
        socket.SetRawSocketOption(TcpLevel, UserTimeout, unanswered);
    }

    public override TimeSpan Settling { get; }

    public override bool IsBroken => ended.IsCompleted;

    public override async ValueTask SendAsync(IReadOnlyList<LogLine> lines, CancellationToken ct)
    {
        frames.ResetWrittenCount();
        foreach (var line in lines)
        {
            message.ResetWrittenCount();
            SyslogMessage.Write(message, line, hostname);
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.WrittenCount} "), frames);
            frames.Write(message.WrittenSpan);
        }

        await stream.WriteAsync(frames.WrittenMemory, ct);
        await stream.FlushAsync(ct);
    }

    public override async ValueTask EndAsync(CancellationToken ct)
    {
        if (stream is SslStream tls)
            await tls.ShutdownAsync();
        socket.Shutdown(SocketShutdown.Send);
        if (!await ended.WaitAsync(ct))
            throw new IOException("the server broke the connection off");
    }

    public override ValueTask DisposeAsync() => stream.DisposeAsync();

    /// <summary>False when the other side broke it off. A syslog server says nothing; over TLS it may hand out tickets.</summary>
    private async Task<bool> WaitForEndAsync()
    {
        var nothing = new byte[512];
        try
        {
            while (await stream.ReadAsync(nothing) > 0)
            {
            }

            return true;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
