using System.Buffers;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Spool.Segments;

/// <summary>
/// Reads one message back, a record at a time, each checked whole before an octet of it is given out. Holds its segments' files open.
/// </summary>
internal sealed class SegmentContent(SegmentSpool spool, MessageLocation location) : ISpoolContent
{
    private readonly long length = location.ContentOctets;
    private byte[]? buffer;
    private int loaded = -1;
    private int loadedLength;
    private bool isDisposed;

    public long Length => length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ct.ThrowIfCancellationRequested();
        var done = 0;
        while (done < buffer.Length && offset < length)
        {
            var piece = PieceAt(offset, out var start);
            var octets = Load(piece)[(int)(offset - start)..];
            var count = Math.Min(octets.Length, buffer.Length - done);
            octets[..count].CopyTo(buffer.Span[done..]);
            done += count;
            offset += count;
        }

        return new ValueTask<int>(done);
    }

    public void Dispose()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
        spool.Release(location);
    }

    /// <summary>The chunk that holds an octet, or the number of chunks for the message record.</summary>
    private int PieceAt(long offset, out long start)
    {
        start = 0;
        var piece = 0;
        while (piece < location.Chunks.Length && offset >= start + location.Chunks[piece].Length)
            start += location.Chunks[piece++].Length;
        return piece;
    }

    private ReadOnlySpan<byte> Load(int piece)
    {
        var isLast = piece == location.Chunks.Length;
        var record = isLast ? location.Record : location.Chunks[piece];
        if (piece != loaded)
        {
            if (buffer is null || buffer.Length < record.Length)
            {
                if (buffer is not null)
                    ArrayPool<byte>.Shared.Return(buffer);
                buffer = ArrayPool<byte>.Shared.Rent(record.Length);
            }

            loaded = -1;
            loadedLength = record.Length;
            RecordReader.Read(spool.Files, record, buffer.AsSpan(0, record.Length));
            loaded = piece;
        }

        var payload = buffer.AsSpan(0, loadedLength);
        return isLast ? payload.Slice(MessagePayload.PrefixSize, location.Inline) : payload;
    }
}
