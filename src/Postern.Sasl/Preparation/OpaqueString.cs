using System.Buffers;
using System.Globalization;
using System.Text;

namespace Postern.Sasl.Preparation;

/// <summary>
/// OpaqueString (RFC 8265 §4.2), the rule for passwords that people have: every space is a space, NFC, and no rule about case or writing
/// direction. Emoji are symbols, Hebrew and Arabic stand beside digits.
/// </summary>
/// <remarks>
/// Joiners and variation selectors stay as they are, though the FreeformClass (RFC 8264 §9.13) leaves them out: phones write them within
/// emoji. A code point is assigned when this runtime's Unicode knows it, and one that it does not know yet is let through, so that a newer
/// phone is not refused.
/// </remarks>
public static class OpaqueString
{
    /// <summary>
    /// False for the empty text, and for one with a control character, a half of a surrogate pair, a code point that is none or for private
    /// use, or one that does not show, such as a mark of writing direction.
    /// </summary>
    /// <param name="text">As it was typed.</param>
    /// <param name="prepared">What is compared; the text itself where the answer is false.</param>
    public static bool TryEnforce(string text, out string prepared)
    {
        prepared = text;
        if (text.Length == 0)
            return false;
        if (Ascii.IsValid(text))
            return !text.AsSpan().ContainsAnyInRange('\0', '\u001f') && !text.Contains('\u007f', StringComparison.Ordinal);

        var mapped = new StringBuilder(text.Length);
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) != OperationStatus.Done || !IsAllowed(rune))
                return false;
            rest = rest[length..];
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator)
                mapped.Append(' ');
            else
                mapped.Append(rune);
        }

        prepared = mapped.ToString().Normalize(NormalizationForm.FormC);
        return true;
    }

    private static bool IsAllowed(Rune rune) =>
        (rune.Value & 0xfffe) != 0xfffe
        && rune.Value is not (>= 0xfdd0 and <= 0xfdef)
        && rune != Rune.ReplacementChar
        && Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.Control or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator => false,
            UnicodeCategory.Format => rune.Value is 0x200c or 0x200d or (>= 0xe0020 and <= 0xe007f), // what emoji and scripts are joined by
            _ => true,
        };
}
