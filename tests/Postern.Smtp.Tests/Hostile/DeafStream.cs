namespace Postern.Smtp.Tests.Hostile;

/// <summary>A peer that says the same again and again, and takes nothing.</summary>
internal sealed class DeafStream(byte[] says) : Stream
{
    private readonly TaskCompletionSource writing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Done when somebody waits for it to take something.</summary>
    public Task WritingAsync(CancellationToken ct) => writing.Task.WaitAsync(ct);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var length = Math.Min(buffer.Length, says.Length);
        says.AsSpan(0, length).CopyTo(buffer.Span);
        return new(length);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        writing.TrySetResult();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
