using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// An internationalized address inside ORCPT= (RFC 6533 §3): <c>\x{HEX}</c> for what must not stand there plainly. The all-ASCII form
/// (utf-8-addr-xtext) goes to every server with DSN; the form with plain UTF-8 (utf-8-addr-unitext) belongs to SMTPUTF8 transactions only.
/// </summary>
public static class Utf8XText
{
    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789ABCDEF"u8);

    /// <summary>
    /// Decodes either form; false when it is not well formed, or hides what no address may hold (<see cref="Utf8Text"/>).
    /// </summary>
    /// <param name="takesUtf8">Whether octets above 127 may stand plainly.</param>
    public static bool TryDecode(ReadOnlySpan<byte> text, bool takesUtf8, [NotNullWhen(true)] out string? decoded)
    {
        decoded = null;
        if (text.IsEmpty || (!takesUtf8 && !Ascii.IsValid(text)) || !Utf8Text.IsAllowed(text))
            return false;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf8(text[i..], out var rune, out var length) != OperationStatus.Done || rune.Value is '+' or '=' or ' ')
                return false;
            if (rune.Value == '\\' && !TryTakeEmbedded(text[i..], out rune, out length))
                return false;
            result.Append(rune.ToString());
            i += length;
        }

        decoded = result.ToString();
        return true;
    }

    /// <summary>The all-ASCII form.</summary>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is > ' ' and <= '~' and not ('\\' or '+' or '='))
                encoded.Append((char)rune.Value);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"\\x{{{rune.Value:X2}}}");
        }

        return encoded.ToString();
    }

    /// <summary>
    /// <c>\x{</c>, two to six upper-case hex digits without idle zeros, <c>}</c>; only for what <see cref="Encode"/> would write so.
    /// </summary>
    private static bool TryTakeEmbedded(ReadOnlySpan<byte> text, out Rune rune, out int length)
    {
        rune = default;
        length = text.IndexOf((byte)'}') + 1;
        if (length is < 6 or > 10 || text[1] != 'x' || text[2] != '{')
            return false;
        var digits = text[3..(length - 1)];
        if (digits.ContainsAnyExcept(HexDigits) || (digits.Length > 2 && digits[0] == '0'))
            return false;
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            && Rune.TryCreate(value, out rune)
            && value is ' ' or '\\' or '+' or '=' or > 127
            && Utf8Text.IsAllowed(rune);
    }
}
