using System.Buffers;

namespace Postern.Commands.Sendmail;

/// <summary>
/// An SMTP dialogue on standard input. A program that ends its first line by LF alone ends all lines so, and each gets the CR that it
/// lacks; one that begins by CRLF is taken at its word, and a lone LF in its content ends nothing. Asynchronous reading only.
/// </summary>
internal sealed class DialogueInput(Stream input) : Stream
{
    private const int BlockSize = 32 * 1024;

    private readonly byte[] raw = new byte[BlockSize];
    // Every octet may be a line end that gets a CR.
    private readonly ArrayBufferWriter<byte> block = new(BlockSize * 2);
    private int taken;

    /// <summary>Null until the first line has ended.</summary>
    private bool? endsByLf;

    /// <summary>The octet before was CR.</summary>
    private bool hasReturn;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (taken == block.WrittenCount)
        {
            (taken, var read) = (0, await input.ReadAsync(raw, cancellationToken));
            block.ResetWrittenCount();
            Take(raw.AsSpan(0, read));
        }

        var part = block.WrittenMemory[taken..];
        part = part[..Math.Min(part.Length, buffer.Length)];
        part.CopyTo(buffer);
        taken += part.Length;
        return part.Length;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    private void Take(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            var end = octets.IndexOf((byte)'\n');
            var line = end < 0 ? octets : octets[..end];
            octets = octets[(line.Length + (end < 0 ? 0 : 1))..];
            block.Write(line);
            hasReturn = line.IsEmpty ? hasReturn : line[^1] == '\r';
            if (end < 0)
                return;
            endsByLf ??= !hasReturn;
            block.Write(endsByLf == true && !hasReturn ? "\r\n"u8 : "\n"u8);
            hasReturn = false;
        }
    }
}
