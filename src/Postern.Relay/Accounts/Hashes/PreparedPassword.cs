using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// The mapping and normalization of SASLprep (RFC 4013 §2.1, §2.2) for a password, so that the same password typed on two
/// systems gives one SCRAM verifier. What §2.3 prohibits is refused where passwords are set, and needs no second answer here.
/// </summary>
internal static class PreparedPassword
{
    /// <summary>Answers with a fresh array that the caller zeroes; octets that are not UTF-8 come back as they are.</summary>
    public static byte[] Prepare(ReadOnlySpan<byte> password)
    {
        if (Ascii.IsValid(password) || !System.Text.Unicode.Utf8.IsValid(password))
            return password.ToArray();

        var mapped = new char[password.Length];
        var length = Encoding.UTF8.GetChars(password, mapped);
        length = Map(mapped.AsSpan(0, length));

        // NFKC expands one character to at most 18.
        var normal = new char[length * 18];
        byte[] result = mapped.AsSpan(0, length).TryNormalize(normal, out var written, NormalizationForm.FormKC)
            ? Encoding.UTF8.GetBytes(normal, 0, written)
            : password.ToArray();
        CryptographicOperations.ZeroMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(mapped.AsSpan()));
        CryptographicOperations.ZeroMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(normal.AsSpan()));
        return result;
    }

    /// <summary>Every space becomes U+0020; soft hyphens, joiners and variation selectors go (RFC 3454 tables C.1.2 and B.1).</summary>
    private static int Map(Span<char> text)
    {
        var kept = 0;
        foreach (var c in text)
        {
            if (!IsMappedToNothing(c))
                text[kept++] = IsOtherSpace(c) ? ' ' : c;
        }

        return kept;
    }

    // U+200B is in both tables; RFC 4013 §2.1 maps spaces first.
    private static bool IsOtherSpace(char c) => c is '\u00a0' or '\u1680' or (>= '\u2000' and <= '\u200b') or '\u202f' or '\u205f' or '\u3000';

    private static bool IsMappedToNothing(char c) =>
        c is '\u00ad' or '\u034f' or '\u1806' or (>= '\u180b' and <= '\u180d') or '\u200c' or '\u200d' or '\u2060'
            or (>= '\ufe00' and <= '\ufe0f') or '\ufeff';
}
