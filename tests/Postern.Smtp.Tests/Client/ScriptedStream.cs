namespace Postern.Smtp.Tests.Client;

/// <summary>A peer that says fixed octets in pieces of a fixed size, then ends. What is written is kept.</summary>
internal sealed class ScriptedStream(byte[] says, int piece) : Stream
{
    private int said;

    public MemoryStream Heard { get; } = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = Math.Min(Math.Min(count, piece), says.Length - said);
        says.AsSpan(said, read).CopyTo(buffer.AsSpan(offset));
        said += read;
        return read;
    }

    public override void Write(byte[] buffer, int offset, int count) => Heard.Write(buffer, offset, count);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
