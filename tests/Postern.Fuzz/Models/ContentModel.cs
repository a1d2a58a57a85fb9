namespace Postern.Fuzz.Models;

/// <summary>Mail data read octet by octet (RFC 5321 §4.5.2): the reference for the unstuffer.</summary>
/// <param name="Octets">The content, stuffed dots taken off.</param>
/// <param name="HasBareLineEnd">A CR or an LF stood alone.</param>
/// <param name="HasNul">A NUL was in it.</param>
/// <param name="End">Where the octets behind CRLF.CRLF begin; -1 when it did not come.</param>
internal sealed record ContentModel(byte[] Octets, bool HasBareLineEnd, bool HasNul, int End)
{
    public static ContentModel Read(ReadOnlySpan<byte> stream)
    {
        var content = new List<byte>(stream.Length);
        var (atLineStart, isBare) = (true, false);
        for (var i = 0; i < stream.Length;)
        {
            if (atLineStart && stream[i..].StartsWith(".\r\n"u8))
                return new ContentModel([.. content], isBare, content.Contains(0), i + 3);
            if (atLineStart && stream[i] == '.')
            {
                atLineStart = false;
                i++;
                continue;
            }

            atLineStart = stream[i..].StartsWith("\r\n"u8);
            isBare |= !atLineStart && (stream[i] is (byte)'\r' or (byte)'\n');
            content.AddRange(stream.Slice(i, atLineStart ? 2 : 1));
            i += atLineStart ? 2 : 1;
        }

        return new ContentModel([.. content], isBare, content.Contains(0), End: -1);
    }

    /// <summary>A CR or an LF stands alone.</summary>
    public static bool IsBare(ReadOnlySpan<byte> content)
    {
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] == '\r' && i + 1 < content.Length && content[i + 1] == '\n')
                i++;
            else if (content[i] is (byte)'\r' or (byte)'\n')
                return true;
        }

        return false;
    }

    /// <summary>Every CR, LF or CRLF as CRLF.</summary>
    public static byte[] Mend(ReadOnlySpan<byte> content)
    {
        var normal = new List<byte>(content.Length + 2);
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] is not ((byte)'\r' or (byte)'\n'))
            {
                normal.Add(content[i]);
                continue;
            }

            if (content[i] == '\r' && i + 1 < content.Length && content[i + 1] == '\n')
                i++;
            normal.AddRange("\r\n"u8);
        }

        return [.. normal];
    }
}
