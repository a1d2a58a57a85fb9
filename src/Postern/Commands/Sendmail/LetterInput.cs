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
    private LineState state = LineState.Start;
    private bool hasEnded;

    private enum LineState
    {
        Start,

        /// <summary>Behind a dot that begins the line, which is not written yet.</summary>
        Dot,
        Inside,
    }

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

    private bool heldReturn;

    /// <summary>A CR is written with what follows it, as it may belong to the line's end.</summary>
    private void TakePart(ReadOnlySpan<byte> part, bool isLineEnd)
    {
        if (heldReturn && !part.IsEmpty)
        {
            Write("\r"u8);
            heldReturn = false;
        }

        if (part is [.., (byte)'\r'])
        {
            part = part[..^1];
            heldReturn = true;
        }

        if (state == LineState.Start && endsAtDot && part is [(byte)'.', ..])
        {
            part = part[1..];
            state = LineState.Dot;
        }

        if (state == LineState.Dot && !part.IsEmpty)
            Write("."u8);
        if (!part.IsEmpty)
            Write(part);
        if (!isLineEnd)
            return;
        heldReturn = false;
        if (state == LineState.Dot)
        {
            hasEnded = true;
            return;
        }

        block.Write("\r\n"u8);
        state = LineState.Start;
    }

    /// <summary>The last line gets the end that it lacks.</summary>
    private void End()
    {
        hasEnded = true;
        if (state == LineState.Inside)
            block.Write("\r\n"u8);
    }

    private void Write(ReadOnlySpan<byte> octets)
    {
        block.Write(octets);
        state = LineState.Inside;
    }
}
