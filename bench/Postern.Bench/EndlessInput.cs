namespace Postern.Bench;

/// <summary>A client that greets, sends the same again and again as fast as it is read, and does not look at the replies.</summary>
internal sealed class EndlessInput(byte[] unit, long rounds) : Stream
{
    private readonly long end = 12 + (unit.Length * rounds);
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => end;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        if (position < 12)
        {
            "EHLO bench\r\n"u8.CopyTo(buffer);
            position = 12;
            return 12;
        }

        var filled = 0;
        while (filled < buffer.Length && position < end)
        {
            var from = (int)((position - 12) % unit.Length);
            var part = Math.Min(unit.Length - from, buffer.Length - filled);
            unit.AsSpan(from, part).CopyTo(buffer[filled..]);
            filled += part;
            position += part;
        }

        return filled;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override void Write(byte[] buffer, int offset, int count)
    {
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
