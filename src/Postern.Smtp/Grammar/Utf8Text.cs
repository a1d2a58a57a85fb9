using System.Buffers;
using System.Globalization;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// Which characters an internationalized address may hold (RFC 6531 §3.3, RFC 5198 §2): strictly valid UTF-8 without controls, separators,
/// noncharacters, replacement characters and invisible formatting, bidi controls among it, which makes one address look like another.
/// </summary>
internal static class Utf8Text
{
    /// <summary>US-ASCII is left to the grammar around it, except for controls.</summary>
    public static bool IsAllowed(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(octets, out var rune, out var length) != OperationStatus.Done || !IsAllowed(rune))
                return false;
            octets = octets[length..];
        }

        return true;
    }

    /// <summary>As above, for text; an unpaired surrogate is none of it.</summary>
    public static bool IsAllowed(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsAllowed(rune))
                return false;
        }

        return true;
    }

    /// <summary>
    /// A compatibility form of the text (NFKC, NFKD) holds ASCII that is no letter or digit and that the text itself does not hold:
    /// full-width ＠ and ％, dots made of an ellipsis, the space under an accent that stands alone. Who normalizes further on would read
    /// another address than was judged here.
    /// </summary>
    /// <param name="text">Valid UTF-16.</param>
    public static bool HidesAscii(string text) =>
        !Ascii.IsValid(text)
        && CountAsciiSigns(text) != CountAsciiSigns(text.Normalize(NormalizationForm.FormKD)); // NFKD takes apart and never puts together

    private static int CountAsciiSigns(string text)
    {
        var count = 0;
        foreach (var c in text)
            count += char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c) ? 1 : 0;
        return count;
    }

    public static bool IsAllowed(Rune rune)
    {
        if (rune.IsAscii)
            return rune.Value is >= ' ' and <= '~';
        if ((rune.Value & 0xFFFE) == 0xFFFE || rune.Value is (>= 0xFDD0 and <= 0xFDEF) or 0xFFFD)
            return false;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Format => rune.Value is 0x200C or 0x200D, // joiners: some scripts cannot be written without
            UnicodeCategory.Control or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator => false,
            _ => true,
        };
    }
}
