namespace Postern.Relay.Spool.Memory;

/// <summary>Reads a message out of memory.</summary>
internal sealed class MemoryContent(ReadOnlyMemory<byte> content) : ISpoolContent
{
    public long Length => content.Length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ct.ThrowIfCancellationRequested();
        var rest = content[(int)Math.Min(offset, content.Length)..];
        var count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return new ValueTask<int>(count);
    }

    public void Dispose()
    {
    }
}
