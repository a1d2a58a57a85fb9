using System.Buffers;

namespace Postern.Commands.Sendmail;

/// <summary>
/// The message on standard input, its lines ended by CRLF whatever ended them there, up to the end or to a line with a dot alone.
/// </summary>
/// <param name="endsAtDot">Such a line ends it.</param>
internal sealed class LetterInput(Stream input, bool endsAtDot)
{
    private const int BlockSize = 32 * 1024;

    private readonly byte[] raw = new byte[BlockSize];
    // Every octet may be a line end, and one of the block before may come on top.
    private readonly ArrayBufferWriter<byte> block = new((BlockSize * 2) + 4);
    private bool hasEnded;

    /// <summary>The line has octets that are written already.</summary>
    private bool isInside;

    /// <summary>A dot that begins the line, not written yet: it may stand alone.</summary>
    private bool hasDot;

    /// <summary>A CR behind what was written, not written yet: it may belong to the line's end.</summary>
    private bool hasReturn;

    /// <summary>The next part, good until the next call; empty at the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken ct)
    {
        block.ResetWrittenCount();
        while (block.WrittenCount == 0 && !hasEnded)
        {
            var read = await input.ReadAsync(raw, ct);
            if (read == 0)
                End();
            else
                Take(raw.AsSpan(0, read));
        }

        return block.WrittenMemory;
    }

    private void Take(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty && !hasEnded)
        {
            var end = octets.IndexOf((byte)'\n');
            var line = end < 0 ? octets : octets[..end];
            octets = octets[(line.Length + (end < 0 ? 0 : 1))..];
            TakePart(line, isLineEnd: end >= 0);
        }
    }

    private void TakePart(ReadOnlySpan<byte> part, bool isLineEnd)
    {
        if (endsAtDot && !isInside && !hasDot && !hasReturn && part is [(byte)'.', ..])
        {
            hasDot = true;
            part = part[1..];
        }

        if (!part.IsEmpty)
        {
            var endsInReturn = part[^1] == '\r';
            part = endsInReturn ? part[..^1] : part;
            if (hasReturn || !part.IsEmpty)
                Write(part);
            hasReturn = endsInReturn;
        }

        if (!isLineEnd)
            return;
        hasEnded = hasDot;
        if (!hasEnded)
            block.Write("\r\n"u8);
        isInside = hasReturn = false;
    }

    /// <summary>The last line gets the end that it lacks.</summary>
    private void End()
    {
        hasEnded = true;
        if (isInside)
            block.Write("\r\n"u8);
    }

    /// <summary>Writes octets that go on the line, with what was held back before them.</summary>
    private void Write(ReadOnlySpan<byte> octets)
    {
        if (hasDot)
            block.Write("."u8);
        if (hasReturn)
            block.Write("\r"u8);
        block.Write(octets);
        (isInside, hasDot, hasReturn) = (true, false, false);
    }
}
