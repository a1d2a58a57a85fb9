namespace Postern.Smtp.Grammar;

/// <summary>xtext (RFC 3461 §4): printable octets, with <c>+</c>, <c>=</c> and all others as <c>+</c> and two upper-case hex digits.</summary>
internal static class XText
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

    private static int? Hex(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => null,
    };
}
