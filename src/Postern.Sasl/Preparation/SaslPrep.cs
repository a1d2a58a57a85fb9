using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl.Preparation;

/// <summary>
/// SASLprep (RFC 4013), the stringprep profile for user names and passwords: spaces become one space, invisible characters go, then NFKC;
/// controls, private and non-characters and mixed directions are refused.
/// </summary>
public static class SaslPrep
{
    /// <summary>Prepares what a client sent; unassigned code points are let through (RFC 3454 §7, "query").</summary>
    /// <returns>False when the text is prohibited; the empty text is itself, and callers decide whether it will do.</returns>
    public static bool TryPrepareQuery(string text, out string prepared) => TryPrepare(text, allowUnassigned: true, out prepared);

    /// <summary>
    /// Prepares what is to be stored; code points that Unicode 3.2 does not know are refused (RFC 3454 §7, "stored string").
    /// </summary>
    /// <inheritdoc cref="TryPrepareQuery(string, out string)"/>
    public static bool TryPrepareStored(string text, out string prepared) => TryPrepare(text, allowUnassigned: false, out prepared);

    /// <summary>
    /// As <see cref="TryPrepareQuery(string, out string)"/> for a password; what is not UTF-8 is prohibited. <paramref name="prepared"/> is
    /// a fresh array for the caller to zero, the password itself where that is prohibited; US-ASCII never becomes a string, which cannot be
    /// zeroed.
    /// </summary>
    internal static bool TryPrepareQuery(ReadOnlySpan<byte> utf8, out byte[] prepared)
    {
        prepared = utf8.ToArray();
        if (Ascii.IsValid(utf8))
            return !utf8.ContainsAnyInRange((byte)0, (byte)0x1f) && !utf8.Contains((byte)0x7f);
        if (!StrictUtf8.TryDecode(utf8, utf8.Length, out var text) || !TryPrepareQuery(text, out var result))
            return false;
        CryptographicOperations.ZeroMemory(prepared);
        prepared = Encoding.UTF8.GetBytes(result);
        return true;
    }

    private static bool TryPrepare(string text, bool allowUnassigned, out string prepared)
    {
        prepared = text;
        if (Ascii.IsValid(text))
            return !text.AsSpan().ContainsAnyInRange('\0', '\u001f') && !text.Contains('\u007f', StringComparison.Ordinal);

        var mapped = new StringBuilder(text.Length);
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) != OperationStatus.Done)
                return false;
            rest = rest[length..];
            if (IsNonCharacter(rune.Value))
                return false; // prohibited by table C.4, and the runtime's normalization throws on it
            if (In(StringPrepTables.OtherSpaces, rune.Value))
                mapped.Append(' ');
            else if (!In(StringPrepTables.MappedToNothing, rune.Value))
                mapped.Append(rune);
        }

        prepared = mapped.ToString().Normalize(NormalizationForm.FormKC);
        return IsAllowed(prepared, allowUnassigned) && HasOneDirection(prepared);
    }

    private static bool IsAllowed(string text, bool allowUnassigned)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (In(StringPrepTables.Prohibited, rune.Value) || rune.Value is < 0x20 or 0x7f)
                return false;
            if (!allowUnassigned && In(StringPrepTables.Unassigned, rune.Value))
                return false;
        }

        return true;
    }

    /// <summary>RFC 3454 §6: with any right-to-left character, no left-to-right one, and right-to-left at both ends.</summary>
    private static bool HasOneDirection(string text)
    {
        var (hasRight, hasLeft, first, last) = (false, false, 0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            first = first == 0 ? rune.Value : first;
            last = rune.Value;
            hasRight |= In(StringPrepTables.RightToLeft, rune.Value);
            hasLeft |= In(StringPrepTables.LeftToRight, rune.Value);
        }

        return !hasRight || (!hasLeft && In(StringPrepTables.RightToLeft, first) && In(StringPrepTables.RightToLeft, last));
    }

    private static bool IsNonCharacter(int codePoint) => (codePoint & 0xfffe) == 0xfffe || codePoint is >= 0xfdd0 and <= 0xfdef;

    /// <summary>Searches a table of ascending pairs.</summary>
    private static bool In(ReadOnlySpan<int> pairs, int codePoint)
    {
        var (low, high) = (0, (pairs.Length / 2) - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (codePoint < pairs[middle * 2])
                high = middle - 1;
            else if (codePoint > pairs[(middle * 2) + 1])
                low = middle + 1;
            else
                return true;
        }

        return false;
    }
}
