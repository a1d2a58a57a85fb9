using System.Buffers;

namespace Postern.Smtp.Client;

/// <summary>
/// Writes content as mail data (RFC 5321 §4.5.2): lines end in CRLF, a line's leading dot is doubled, and the whole ends in CRLF.CRLF.
/// A bare CR or a bare LF becomes CRLF, so nothing inside the content can be read as an end of data by any peer. The content may
/// be cut anywhere: the output is the same.
/// </summary>
internal struct DotStuffer
{
    /// <summary>What <see cref="Finish"/> writes at most.</summary>
    public const int FinishLength = 5;

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private bool insideLine;
    private bool heldCr;

    /// <summary>What <see cref="Write"/> writes at most for <paramref name="octets"/> of content.</summary>
    public static int MaxLength(int octets) => (2 * octets) + 2;

    /// <summary>Writes the next piece of content; answers the octets written.</summary>
    /// <param name="destination">At least <see cref="MaxLength"/> of the source.</param>
    public int Write(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var written = 0;
        if (heldCr && !source.IsEmpty)
        {
            heldCr = false;
            written = EndLine(destination);
            if (source[0] == '\n')
                source = source[1..];
        }

        while (!source.IsEmpty)
        {
            if (!insideLine && source[0] == '.')
                destination[written++] = (byte)'.';
            var length = source.IndexOfAny(LineEnds);
            if (length < 0)
            {
                source.CopyTo(destination[written..]);
                insideLine = true;
                return written + source.Length;
            }

            source[..length].CopyTo(destination[written..]);
            written += length;
            var isCr = source[length] == '\r';
            source = source[(length + 1)..];
            if (isCr && source.IsEmpty)
            {
                // Whether a newline follows is known with the next piece.
                heldCr = true;
                return written;
            }

            if (isCr && source[0] == '\n')
                source = source[1..];
            written += EndLine(destination[written..]);
        }

        return written;
    }

    /// <summary>Ends the last line where it is open and writes the end mark; answers the octets written.</summary>
    public int Finish(Span<byte> destination)
    {
        var written = insideLine || heldCr ? EndLine(destination) : 0;
        heldCr = false;
        ".\r\n"u8.CopyTo(destination[written..]);
        return written + 3;
    }

    private int EndLine(Span<byte> destination)
    {
        destination[0] = (byte)'\r';
        destination[1] = (byte)'\n';
        insideLine = false;
        return 2;
    }
}
