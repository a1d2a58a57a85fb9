namespace Postern.Testing;

/// <summary>
/// A peer that says fixed octets in pieces, then ends. What it hears is kept. Nothing ever waits, so a session on it runs to its end at once.
/// </summary>
/// <param name="nextSize">The octets of the next piece, at most; one or more.</param>
/// <param name="maxHeard">Hearing more is an error.</param>
public sealed class PieceStream(ReadOnlyMemory<byte> says, Func<int> nextSize, int maxHeard = int.MaxValue) : Stream
{
    private readonly MemoryStream heard = new();
    private int said;

    /// <summary>Octets said so far.</summary>
    public int Said => said;

    public ReadOnlyMemory<byte> Heard => heard.GetBuffer().AsMemory(0, (int)heard.Length);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var size = Math.Min(Math.Min(buffer.Length, nextSize()), says.Length - said);
        says.Span.Slice(said, size).CopyTo(buffer);
        said += size;
        return size;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (heard.Length + buffer.Length > maxHeard)
            throw new InvalidDataException($"more than {maxHeard} octets said for {says.Length} heard");
        heard.Write(buffer);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
