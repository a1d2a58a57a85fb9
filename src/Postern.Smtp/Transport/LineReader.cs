using System.Buffers;

namespace Postern.Smtp.Transport;

/// <summary>
/// The one line reader, for commands and for SASL responses alike (RFC 5321 §2.3.8): a line ends in CRLF and in nothing else, but where the
/// listener is for devices that end it in LF. Its length is counted before anything looks at it.
/// </summary>
internal static class LineReader
{
    private static readonly SearchValues<byte> Special = SearchValues.Create("\r\n\0"u8);

    /// <summary>
    /// Looks for one line at the start of <paramref name="input"/>. <paramref name="maxOctets"/> counts the CRLF (RFC 5321
    /// §4.5.3.1.4). On <see cref="LineOutcome.Line"/>, <paramref name="length"/> is the length without the line's end and the caller takes
    /// length + <paramref name="end"/>.
    /// </summary>
    /// <param name="takesLf">A LF ends a line too. A CR without a LF never does.</param>
    /// <param name="end">Octets of the line's end.</param>
    public static LineOutcome TryFind(ReadOnlySpan<byte> input, int maxOctets, bool takesLf, out int length, out int end)
    {
        end = 2;
        var window = input.Length > maxOctets ? input[..maxOctets] : input;
        if (IsHello(window))
        {
            length = 0;
            return LineOutcome.BadOctet;
        }

        length = window.IndexOfAny(Special);
        if (length < 0)
            return input.Length >= maxOctets ? LineOutcome.TooLong : LineOutcome.NeedMore;
        if (takesLf && window[length] == '\n')
        {
            end = 1;
            return LineOutcome.Line;
        }

        if (window[length] != '\r')
            return LineOutcome.BadOctet;
        if (length + 1 < window.Length)
            return window[length + 1] == '\n' ? LineOutcome.Line : LineOutcome.BadOctet;
        return input.Length >= maxOctets ? LineOutcome.TooLong : LineOutcome.NeedMore;
    }

    /// <summary>
    /// A TLS handshake where a line was expected: no line of any command or response begins so, and its end would be waited for in vain.
    /// </summary>
    public static bool IsHello(ReadOnlySpan<byte> input) => input is [0x16, 0x03, ..];
}

/// <summary>What a look for one line found.</summary>
internal enum LineOutcome
{
    /// <summary>A whole line, its end taken off.</summary>
    Line,

    /// <summary>No CRLF yet, and the limit is not reached.</summary>
    NeedMore,

    /// <summary>The limit was passed before a CRLF came.</summary>
    TooLong,

    /// <summary>A bare CR, a bare LF or a NUL, or a TLS handshake: not SMTP, or an attack.</summary>
    BadOctet,

    /// <summary>The peer is gone.</summary>
    Closed,
}
