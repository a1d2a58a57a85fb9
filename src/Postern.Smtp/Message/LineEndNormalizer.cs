using System.Buffers;

namespace Postern.Smtp.Message;

/// <summary>
/// Takes every NUL out and then makes CRLF of every CR and LF that stands alone, in content that comes in pieces. A CR is answered with
/// CRLF at once, and a LF behind it is dropped, so nothing is ever held back. It sees content only, after the end of data was found and
/// stuffed dots were taken off: what it makes is never an end mark and never a place where a dot comes off.
/// </summary>
internal struct LineEndNormalizer
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n\0"u8);

    private bool afterCr;

    /// <summary>NULs taken out so far.</summary>
    public long Removed { get; private set; }

    /// <summary>What <see cref="Write"/> writes at most for <paramref name="octets"/> of content.</summary>
    public static int MaxLength(int octets) => 2 * octets;

    /// <summary>Writes the next piece; answers the octets written.</summary>
    public int Write(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        var written = 0;
        while (!content.IsEmpty)
        {
            if (content[0] == 0)
            {
                var nuls = content.IndexOfAnyExcept((byte)0);
                nuls = nuls < 0 ? content.Length : nuls;
                Removed += nuls;
                content = content[nuls..];
                continue;
            }

            if (afterCr && content[0] == '\n')
                content = content[1..];
            afterCr = false;

            var next = content.IndexOfAny(LineEnds);
            var text = next < 0 ? content : content[..next];
            text.CopyTo(destination[written..]);
            written += text.Length;
            if (next < 0)
                break;
            if (content[next] == 0)
            {
                content = content[next..];
                continue;
            }

            "\r\n"u8.CopyTo(destination[written..]);
            written += 2;
            afterCr = content[next] == '\r';
            content = content[(next + 1)..];
        }

        return written;
    }
}
