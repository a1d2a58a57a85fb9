namespace Postern.Smtp.Tests.Client;

/// <summary>A peer that says fixed octets in pieces of a fixed size, cut at given places too, then ends. What is written is kept.</summary>
internal sealed class ScriptedStream(byte[] says, int piece, params int[] cuts) : Stream
{
    private int said;

    public MemoryStream Heard { get; } = new();

    /// <summary>Asked with what was just written: what the write throws all the same.</summary>
    public Func<ReadOnlyMemory<byte>, Exception?> WriteFailure { get; init; } = static _ => null;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var end = says.Length;
        foreach (var cut in cuts)
            end = cut > said ? Math.Min(end, cut) : end;
        var read = Math.Min(Math.Min(buffer.Length, piece), end - said);
        says.AsSpan(said, read).CopyTo(buffer);
        said += read;
        return read;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Heard.Write(buffer.Span);
        return WriteFailure(buffer) is { } failure ? ValueTask.FromException(failure) : ValueTask.CompletedTask;
    }

    public override void Write(byte[] buffer, int offset, int count) => Heard.Write(buffer, offset, count);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
