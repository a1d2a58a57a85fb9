using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Audit;

/// <summary>
/// Reads a file's lines from the last to the first, in blocks, so that the newest event costs one read however large the file is.
/// </summary>
internal static class LinesFromEnd
{
    private const int BlockLength = 64 * 1024;

    /// <summary>
    /// Lines of a stretch of the file without their line feed, each with its offset. A line's memory is valid until the next one is
    /// asked for. The last may be torn.
    /// </summary>
    /// <param name="from">Where the first line begins.</param>
    /// <param name="to">Behind the last line.</param>
    public static async IAsyncEnumerable<(long Start, ReadOnlyMemory<byte> Line)> ReadAsync(
        SafeFileHandle file, long from, long to, [EnumeratorCancellation] CancellationToken ct)
    {
        var position = to;
        var buffer = new byte[BlockLength];
        var (start, end) = (buffer.Length, buffer.Length);
        while (true)
        {
            var feed = buffer.AsSpan(start, end - start).LastIndexOf((byte)'\n');
            if (feed >= 0)
            {
                var line = start + feed + 1;
                if (line < end)
                    yield return (position + feed + 1, buffer.AsMemory(line, end - line));
                end = start + feed;
                continue;
            }

            if (position == from)
                break;
            var length = (int)Math.Min(BlockLength, position - from);
            if (start < length || end < buffer.Length)
                (buffer, start, end) = MoveToEnd(buffer, start, end);
            if (!await FillAsync(file, buffer.AsMemory(start - length, length), position - length, ct))
                yield break; // cut off meanwhile by a deletion and a new file
            start -= length;
            position -= length;
        }

        if (start < end)
            yield return (position, buffer.AsMemory(start, end - start));
    }

    /// <summary>Makes room for one more block before what is left of the line.</summary>
    private static (byte[] Buffer, int Start, int End) MoveToEnd(byte[] buffer, int start, int end)
    {
        var kept = end - start;
        var larger = kept + BlockLength > buffer.Length ? new byte[Math.Max(buffer.Length * 2, kept + BlockLength)] : buffer;
        buffer.AsSpan(start, kept).CopyTo(larger.AsSpan(larger.Length - kept));
        return (larger, larger.Length - kept, larger.Length);
    }

    private static async ValueTask<bool> FillAsync(SafeFileHandle file, Memory<byte> block, long position, CancellationToken ct)
    {
        while (!block.IsEmpty)
        {
            var read = await RandomAccess.ReadAsync(file, block, position, ct);
            if (read == 0)
                return false;
            block = block[read..];
            position += read;
        }

        return true;
    }
}
