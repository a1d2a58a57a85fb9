using System.Globalization;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>xtext (RFC 3461 §4): printable octets, with <c>+</c>, <c>=</c> and all others as <c>+</c> and two upper-case hex digits.</summary>
public static class XText
{
    /// <summary>Decodes; false when the grammar is broken or the text hides an octet that no address may hold (control, non-ASCII).</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> octets, out int written)
    {
        written = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is < 33 or > 126 or (byte)'=')
                return false;
            if (c == '+')
            {
                if (i + 2 >= text.Length || Hex(text[i + 1]) is not { } high || Hex(text[i + 2]) is not { } low)
                    return false;
                c = (byte)((high << 4) | low);
                i += 2;
                if (c is < 32 or > 126)
                    return false;
            }

            if (written == octets.Length)
                return false;
            octets[written++] = c;
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

    private static int? Hex(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => null,
    };
}
