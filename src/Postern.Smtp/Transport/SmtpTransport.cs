using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Transport;

/// <summary>
/// The octets of one session: a bounded input window, and an output buffer that is flushed whenever the session is about to wait
/// for the client, so that pipelined commands get their replies in one write. One reader and writer: the session.
/// </summary>
/// <param name="socket">Under the stream, for the half-close at the end; null where there is none.</param>
internal sealed class SmtpTransport(Stream network, Socket? socket = null) : IAsyncDisposable
{
    /// <summary>Holds the longest line there is (a SASL response) and one whole TLS record.</summary>
    internal const int WindowOctets = 16 * 1024;

    private const int OutputOctets = 4 * 1024;

    private Stream stream = network;
    private byte[]? window;
    private int start;
    private int end;
    private byte[]? output;
    private int pending;
    private bool isTorn;

    /// <summary>Lines may end in LF alone. Content is another matter: what ends it is not a line's end.</summary>
    public bool TakesLf { get; init; }

    /// <summary>Input that came before anybody asked for it: pipelined, or injected.</summary>
    public bool HasBufferedInput => end > start;

    /// <summary>Why the last handshake failed; null while none has.</summary>
    public string? HandshakeTrouble => (stream as SecuredStream)?.Trouble;

    /// <summary>What has arrived and was not yet taken.</summary>
    public ReadOnlyMemory<byte> Buffered => window.AsMemory(start, end - start);

    /// <summary>Replies are queued, and the next line is not here yet: they leave before it is waited for.</summary>
    public bool HasPendingReplies(int maxOctets) =>
        pending > 0 && (!HasBufferedInput || LineReader.TryFind(Buffered.Span, maxOctets, TakesLf, out _, out _) == LineOutcome.NeedMore);

    public void Take(int count) => start += count;

    /// <summary>
    /// Flushes, then waits for more input. False when the client is gone. With <paramref name="idle"/> no buffer is held while
    /// waiting: that is what keeps ten thousand quiet connections small.
    /// </summary>
    public async ValueTask<bool> FillAsync(bool idle, CancellationToken ct)
    {
        await FlushAsync(ct);
        try
        {
            if (idle && !HasBufferedInput)
            {
                ReturnWindow();
                _ = await stream.ReadAsync(Memory<byte>.Empty, ct);
            }

            MakeRoom();
            var read = await stream.ReadAsync(window.AsMemory(end), ct);
            end += read;
            return read > 0;
        }
        catch (Exception e) when (ConnectionLostException.IsCausedBy(e))
        {
            throw new ConnectionLostException(e);
        }
    }

    /// <summary>
    /// Waits for a sign of the client while somebody else works for it. That it is still there, when it has sent more, which it wants
    /// answered whatever it does behind it; when <paramref name="ct"/> is cancelled; or where there is no socket of our own.
    /// </summary>
    public async Task<ClientSign> WatchAsync(CancellationToken ct)
    {
        // A stream that somebody else made may not heed that a read is cancelled, and this one must end with the work.
        if (HasBufferedInput || socket is null)
            return ClientSign.IsThere;
        try
        {
            _ = await stream.ReadAsync(Memory<byte>.Empty, ct);
            MakeRoom();
            var read = await stream.ReadAsync(window.AsMemory(end), ct);
            end += read;
            return read == 0 ? ClientSign.SaysNoMore : ClientSign.IsThere;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return ClientSign.IsThere;
        }
        catch (Exception e) when (ConnectionLostException.IsCausedBy(e))
        {
            return ClientSign.Gone;
        }
    }

    /// <summary>
    /// Takes one line. On <see cref="LineOutcome.TooLong"/> the rest of that line is still to be skipped with
    /// <see cref="SkipLineAsync"/>. The line is valid until the next read.
    /// </summary>
    public async ValueTask<(LineOutcome Outcome, ReadOnlyMemory<byte> Line)> ReadLineAsync(int maxOctets, bool idle, CancellationToken ct)
    {
        while (true)
        {
            var outcome = LineReader.TryFind(Buffered.Span, maxOctets, TakesLf, out var length, out var end);
            switch (outcome)
            {
                case LineOutcome.Line:
                    var line = Buffered[..length];
                    Take(length + end);
                    return (outcome, line);
                case LineOutcome.NeedMore:
                    if (!await FillAsync(idle, ct))
                        return (LineOutcome.Closed, default);
                    break;
                default:
                    return (outcome, default);
            }
        }
    }

    /// <summary>
    /// Discards input up to the next line's end without holding it. False when more than <paramref name="maxOctets"/> went by without one,
    /// or the client is gone.
    /// </summary>
    public async ValueTask<bool> SkipLineAsync(long maxOctets, CancellationToken ct)
    {
        for (var skipped = 0L; skipped <= maxOctets;)
        {
            var lineEnd = TakesLf ? "\n"u8 : "\r\n"u8;
            var found = Buffered.Span.IndexOf(lineEnd);
            if (found >= 0)
            {
                Take(found + lineEnd.Length);
                return true;
            }

            var keep = HasBufferedInput && Buffered.Span[^1] == '\r' ? 1 : 0;
            skipped += Buffered.Length - keep;
            Take(Buffered.Length - keep);
            if (!await FillAsync(idle: false, ct))
                return false;
        }

        return false;
    }

    /// <summary>Queues a reply; it leaves with the next <see cref="FillAsync"/> or <see cref="FlushAsync"/>.</summary>
    public ValueTask WriteAsync(Reply reply, CancellationToken ct) => WriteAsync(reply.Encoded, ct);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
    {
        output ??= ArrayPool<byte>.Shared.Rent(OutputOctets);
        if (pending + octets.Length > output.Length)
        {
            await FlushAsync(ct);
            if (octets.Length > OutputOctets)
            {
                await SendAsync(octets, ct);
                return;
            }

            output ??= ArrayPool<byte>.Shared.Rent(OutputOctets);
        }

        octets.CopyTo(output.AsMemory(pending));
        pending += octets.Length;
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        if (output is not { } octets)
            return;
        if (pending > 0)
            await SendAsync(octets.AsMemory(0, pending), ct);
        pending = 0;
        output = null;
        ArrayPool<byte>.Shared.Return(octets);
    }

    /// <summary>
    /// Runs the server side of a TLS handshake. Input buffered before it must have been dealt with: there must be none.
    /// Throws what <see cref="SslStream"/> throws when the handshake fails.
    /// </summary>
    public async Task<SecuredStream> StartTlsAsync(ListenerTls tls, CancellationToken ct)
    {
        await FlushAsync(ct);
        if (HasBufferedInput)
            throw new InvalidOperationException("plaintext input is buffered behind the switch to TLS");
        ReturnWindow();
        return await tls.HandshakeAsync(stream, secured => stream = secured, ct);
    }

    /// <summary>Says goodbye properly (close_notify, FIN) as far as the client still listens; never throws.</summary>
    public async ValueTask CloseAsync(CancellationToken ct)
    {
        try
        {
            await FlushAsync(ct);
            if (isTorn)
                return;
            if (stream is SslStream { IsAuthenticated: true } tls)
                await tls.ShutdownAsync().WaitAsync(ct);
            socket?.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e)
            when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The peer left first: there is nobody to say goodbye to.
        }
    }

    public async ValueTask DisposeAsync()
    {
        ReturnWindow();
        if (output is not null)
            ArrayPool<byte>.Shared.Return(output);
        output = null;
        await stream.DisposeAsync();
        socket?.Dispose();
    }

    /// <summary>
    /// A write that is cut off may have sent half a reply. Nothing can follow that: the next octets would be read as the rest of that
    /// reply, and replies said again as those to later commands.
    /// </summary>
    private async ValueTask SendAsync(ReadOnlyMemory<byte> octets, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (isTorn)
            throw new ConnectionLostException("an earlier reply was cut off");
        isTorn = true;
        try
        {
            await stream.WriteAsync(octets, ct);
        }
        catch (Exception e) when (ConnectionLostException.IsCausedBy(e))
        {
            throw new ConnectionLostException(e);
        }

        isTorn = false;
    }

    private void MakeRoom()
    {
        window ??= ArrayPool<byte>.Shared.Rent(WindowOctets);
        if (start == end)
        {
            start = end = 0;
        }
        else if (end == window.Length)
        {
            window.AsSpan(start, end - start).CopyTo(window);
            end -= start;
            start = 0;
        }
    }

    private void ReturnWindow()
    {
        if (window is not null)
            ArrayPool<byte>.Shared.Return(window);
        window = null;
        start = end = 0;
    }
}

/// <summary>What is seen of a client that nobody reads from.</summary>
internal enum ClientSign
{
    IsThere,

    /// <summary>It has closed its side: it has left, or says no more and still listens.</summary>
    SaysNoMore,

    /// <summary>The connection is broken.</summary>
    Gone,
}
