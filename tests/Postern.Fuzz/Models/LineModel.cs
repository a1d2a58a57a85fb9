using Postern.Smtp.Transport;

namespace Postern.Fuzz.Models;

/// <summary>A line read octet by octet, as the rules say it and as slowly: the reference for the line reader.</summary>
internal static class LineModel
{
    /// <summary>Answers what stands at <paramref name="at"/> and moves behind it; behind all of an overlong line. Closed: the stream ends inside the line.</summary>
    public static LineOutcome Take(ReadOnlySpan<byte> stream, int maxOctets, bool takesLf, ref int at, out ReadOnlySpan<byte> line)
    {
        line = default;
        // The beginning of a TLS handshake: its line end would be waited for in vain.
        if (maxOctets >= 2 && stream[at..] is [0x16, 0x03, ..])
            return LineOutcome.BadOctet;
        for (var i = at; i < stream.Length; i++)
        {
            var isLastAllowed = i - at == maxOctets - 1;
            if (stream[i] == '\r' && !isLastAllowed && i + 1 == stream.Length)
                return LineOutcome.Closed;
            if (stream[i] == '\r' && !isLastAllowed && stream[i + 1] == '\n')
            {
                line = stream[at..i];
                at = i + 2;
                return LineOutcome.Line;
            }

            if (takesLf && stream[i] == '\n')
            {
                line = stream[at..i];
                at = i + 1;
                return LineOutcome.Line;
            }

            if (stream[i] is 0 or (byte)'\n' || (stream[i] == '\r' && !isLastAllowed))
                return LineOutcome.BadOctet;
            if (isLastAllowed)
            {
                var lineEnd = takesLf ? "\n"u8 : "\r\n"u8;
                var end = stream[at..].IndexOf(lineEnd);
                at = end < 0 ? stream.Length : at + end + lineEnd.Length;
                return LineOutcome.TooLong;
            }
        }

        return LineOutcome.Closed;
    }
}
