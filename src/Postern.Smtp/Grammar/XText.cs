using System.Globalization;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// xtext (RFC 3461 §4): printable octets, with <c>+</c>, <c>=</c> and all others as <c>+</c> and two upper-case hex digits.
/// </summary>
public static class XText
{
    /// <summary>
    /// Decodes; false when the grammar is broken, when the text hides an octet that no address may hold (control, non-ASCII), or when there
    /// is no room for it.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> octets, out int written)
    {
        written = 0;
        while (!text.IsEmpty)
        {
            if (!TryTake(ref text, out var c) || c is < 32 or > 126 || written == octets.Length)
                return false;
            octets[written++] = c;
        }

        return true;
    }

    /// <summary>
    /// As <see cref="TryDecode"/>, for text that is only ever shown: what is not printable US-ASCII becomes a question mark.
    /// </summary>
    internal static bool TryDecodePrintable(ReadOnlySpan<byte> text, Span<byte> octets, out int written)
    {
        written = 0;
        while (!text.IsEmpty)
        {
            if (!TryTake(ref text, out var c) || written == octets.Length)
                return false;
            octets[written++] = c is >= 32 and <= 126 ? c : (byte)'?';
        }

        return true;
    }

    /// <summary>Whether <see cref="TryDecode"/> takes it, where there is room enough.</summary>
    internal static bool IsWellFormed(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            if (!TryTake(ref text, out var c) || c is < 32 or > 126)
                return false;
        }

        return true;
    }

    /// <summary>Encodes, with no more <c>+XX</c> than needed: never longer than any other encoding of the same text.</summary>
    /// <exception cref="FormatException">A character that xtext as decoded here cannot carry: a control, or not US-ASCII.</exception>
    public static string Encode(string text)
    {
        if (!IsEncodable(text))
            throw new FormatException("xtext carries printable US-ASCII");
        if (!text.AsSpan().ContainsAny(' ', '+', '='))
            return text;
        var encoded = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            if (c is ' ' or '+' or '=')
                encoded.Append(CultureInfo.InvariantCulture, $"+{(int)c:X2}");
            else
                encoded.Append(c);
        }

        return encoded.ToString();
    }

    /// <summary>Whether <see cref="Encode"/> takes it: printable US-ASCII, spaces included.</summary>
    public static bool IsEncodable(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange(' ', '~');

    private static bool TryTake(ref ReadOnlySpan<byte> text, out byte octet)
    {
        octet = text[0];
        if (octet is < 33 or > 126 or (byte)'=')
            return false;
        if (octet != '+')
        {
            text = text[1..];
            return true;
        }

        if (text.Length < 3 || Hex(text[1]) is not { } high || Hex(text[2]) is not { } low)
            return false;
        octet = (byte)((high << 4) | low);
        text = text[3..];
        return true;
    }

    private static int? Hex(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => null,
    };
}
