namespace Postern.Fuzz.Models;

/// <summary>A peer that says fixed octets in pieces whose sizes a number decides, then ends. What it hears is kept, up to a bound. Never waits.</summary>
internal sealed class PieceStream(ReadOnlyMemory<byte> says, Draw sizes, int largest, int maxHeard = 0) : Stream
{
    private readonly MemoryStream heard = new();
    private Draw draw = sizes;
    private int said;

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
        var size = Math.Min(Math.Min(buffer.Length, 1 + draw.Below(largest)), says.Length - said);
        says.Span.Slice(said, size).CopyTo(buffer);
        said += size;
        return size;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        BrokenException.Unless(heard.Length + buffer.Length <= maxHeard, $"the output is bounded by the input: more than {maxHeard} octets for {says.Length}");
        heard.Write(buffer);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
