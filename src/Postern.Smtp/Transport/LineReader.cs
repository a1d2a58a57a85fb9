using System.Buffers;

namespace Postern.Smtp.Transport;

/// <summary>
/// The one line reader, for commands and for SASL responses alike (RFC 5321 §2.3.8): a line ends in CRLF and in nothing else, and
/// its length is counted before anything looks at it.
/// </summary>
internal static class LineReader
{
    private static readonly SearchValues<byte> Special = SearchValues.Create("\r\n\0"u8);

    /// <summary>
    /// Looks for one line at the start of <paramref name="input"/>. <paramref name="maxOctets"/> counts the CRLF (RFC 5321
    /// §4.5.3.1.4). On <see cref="LineOutcome.Line"/>, <paramref name="length"/> is the length without CRLF and the caller takes length + 2.
    /// </summary>
    public static LineOutcome TryFind(ReadOnlySpan<byte> input, int maxOctets, out int length)
    {
        if (IsHello(input))
        {
            length = 0;
            return LineOutcome.BadOctet;
        }

        var window = input.Length > maxOctets ? input[..maxOctets] : input;
        length = window.IndexOfAny(Special);
        if (length < 0)
            return input.Length >= maxOctets ? LineOutcome.TooLong : LineOutcome.NeedMore;
        if (window[length] != '\r')
            return LineOutcome.BadOctet;
        if (length + 1 < window.Length)
            return window[length + 1] == '\n' ? LineOutcome.Line : LineOutcome.BadOctet;
        return input.Length >= maxOctets ? LineOutcome.TooLong : LineOutcome.NeedMore;
    }

    /// <summary>A TLS handshake where a line was expected: no line of any command or response begins so, and its end would be waited for in vain.</summary>
    public static bool IsHello(ReadOnlySpan<byte> input) => input is [0x16, 0x03, ..];
}
