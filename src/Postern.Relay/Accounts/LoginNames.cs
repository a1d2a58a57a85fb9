using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>
/// The one canonical form of a user name, computed before any lookup, limit or log: NFKC and lower case, so that every spelling
/// a store regards as the same has one budget and one history.
/// </summary>
public static class LoginNames
{
    /// <summary>RFC 4616 §2: 255 code points; bounded here in UTF-16 units.</summary>
    public const int MaxLength = 255;

    private static readonly byte[] MaskKey = RandomNumberGenerator.GetBytes(32);

    /// <summary>False when no account can have this name: empty, too long, not Unicode, or with characters that do not show.</summary>
    public static bool TryCanonical(string name, [NotNullWhen(true)] out string? canonical)
    {
        canonical = null;
        if (name.Length is 0 or > MaxLength)
            return false;
        if (Ascii.IsValid(name))
        {
            if (name.AsSpan().ContainsAnyInRange('\0', '\u001f') || name.Contains('\u007f', StringComparison.Ordinal))
                return false;
            canonical = name.ToLowerInvariant();
            return true;
        }

        foreach (var rune in name.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar || IsInvisible(Rune.GetUnicodeCategory(rune)))
                return false;
        }

        // Lower case can undo a normal form (U+0130), so it is taken between two normalizations.
        canonical = name.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Normalize(NormalizationForm.FormKC);
        return canonical.Length <= MaxLength;
    }

    /// <summary>
    /// Its canonical form is an address, and as written it is none: <c>lisa％other@example.org</c> with a full-width sign. No account may be
    /// made of such a name, for it would own an address that nobody wrote.
    /// </summary>
    public static bool IsDisguisedAddress(string written) =>
        TryCanonical(written, out var canonical) && Mailbox.TryParse(canonical, out _) && !Mailbox.TryParse(written, out _);

    /// <summary>
    /// What logs show for a name that no store knows, because people type passwords there. The same name gives the same text
    /// until the process ends, so that a series of attempts can be seen as one.
    /// </summary>
    public static string Mask(string name)
    {
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(MaskKey, Encoding.UTF8.GetBytes(name), tag);
        return $"(unknown {Convert.ToHexStringLower(tag[..4])})";
    }

    /// <summary>
    /// Why names cannot be compared on this machine, or null when they can. To be asked at start: without ICU the runtime returns
    /// text unchanged instead of normalizing it, and says nothing.
    /// </summary>
    public static string? UnicodeProblem() =>
        string.Equals("\u2168".Normalize(NormalizationForm.FormKC), "IX", StringComparison.Ordinal)
            ? null
            : "Unicode normalization does not work: install ICU (Debian: libicu72 or newer) and unset "
                + "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT";

    private static bool IsInvisible(UnicodeCategory category) => category
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned;
}
