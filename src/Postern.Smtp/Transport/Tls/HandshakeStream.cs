using System.Buffers;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// Under TLS: during the handshake it takes a slot when input has come, and gives it back before it waits for the client, and it counts:
/// what a client says there is read, parsed and judged before anything is known of it. It keeps what came first, which tells why a
/// handshake failed. Afterwards it only passes on.
/// </summary>
/// <param name="slots">Null where handshakes take no turns.</param>
/// <param name="most">Octets that the other side may say in its handshake.</param>
internal sealed class HandshakeStream(Stream inner, HandshakeSlots? slots, int most = HandshakeStream.MaxHandshakeOctets) : Stream
{
    /// <summary>Ten client certificates of the usual size and a hello with keys of every kind have room.</summary>
    public const int MaxHandshakeOctets = 32 * 1024;

    /// <summary>A hello with keys of every kind has about 2 KiB.</summary>
    private const int FirstOctets = 4 * 1024;

    private byte[]? first = ArrayPool<byte>.Shared.Rent(FirstOctets);
    private bool isHandshaking = true;
    private int octets;
    private bool holdsSlot;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What the other side said first, until the handshake is over.</summary>
    public ReadOnlySpan<byte> First => first is null ? default : first.AsSpan(0, Math.Min(octets, FirstOctets));

    public void EndHandshake()
    {
        isHandshaking = false;
        GiveBack();
        if (first is not null)
            ArrayPool<byte>.Shared.Return(first);
        first = null;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        isHandshaking ? ReadPacedAsync(buffer, cancellationToken) : inner.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        GiveBack();
        return inner.WriteAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadPacedAsync(Memory<byte> buffer, CancellationToken ct)
    {
        GiveBack();
        var read = await inner.ReadAsync(buffer[..Math.Min(buffer.Length, most + 1 - octets)], ct);
        if (octets < FirstOctets)
            buffer.Span[..Math.Min(read, FirstOctets - octets)].CopyTo(first.AsSpan(octets));
        octets += read;
        if (octets > most)
            throw new HandshakeTooLongException(most);
        if (read > 0 && slots is not null)
        {
            await slots.TakeAsync(ct);
            holdsSlot = true;
        }

        return read;
    }

    private void GiveBack()
    {
        if (!holdsSlot)
            return;
        holdsSlot = false;
        slots!.GiveBack();
    }
}

/// <summary>
/// More octets in a handshake than any honest one has. A type of its own, so that it is not taken for a connection that was lost.
/// </summary>
internal sealed class HandshakeTooLongException(int most) : IOException($"the other side said more than {most} octets in its handshake");
