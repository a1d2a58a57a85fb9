using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl.Preparation;

/// <summary>
/// What is computed of a password. SCRAM (RFC 5802 §2.2) and PLAIN (RFC 4616 §2) ask for SASLprep, which refuses many that people have;
/// those are taken as <see cref="OpaqueString"/> has them. Both halves of every mechanism go by this.
/// </summary>
public static class PasswordText
{
    /// <summary>False for a password that neither rule allows, and for one of which nothing is left.</summary>
    /// <param name="prepared">
    /// As SASLprep has it where that allows it, code points newer than Unicode 3.2 among them; else as OpaqueString has it.
    /// </param>
    public static bool TryPrepare(string password, out string prepared) =>
        (SaslPrep.TryPrepareQuery(password, out prepared) && prepared.Length > 0) || OpaqueString.TryEnforce(password, out prepared);

    /// <summary>
    /// The same question of octets, without an answer that would have to be zeroed; US-ASCII never becomes a string, which cannot be
    /// zeroed.
    /// </summary>
    public static bool IsText(ReadOnlySpan<byte> password)
    {
        if (Ascii.IsValid(password))
            return !password.IsEmpty && !password.ContainsAnyInRange((byte)0, (byte)0x1f) && !password.Contains((byte)0x7f);
        return StrictUtf8.TryDecode(password, password.Length, out var text) && TryPrepare(text, out _);
    }

    /// <summary>
    /// Every spelling of a revealed password that may be what is stored, in UTF-8 and fresh arrays for the caller to zero: as it came,
    /// prepared, and as OpaqueString has it. One for US-ASCII and for octets that are no text; how many there are depends on the password
    /// alone.
    /// </summary>
    public static IReadOnlyList<byte[]> Spellings(ReadOnlySpan<byte> password)
    {
        if (Ascii.IsValid(password) || !StrictUtf8.TryDecode(password, password.Length, out var text))
            return [password.ToArray()];
        List<string> texts = [text];
        if (SaslPrep.TryPrepareQuery(text, out var prepared) && prepared.Length > 0 && !texts.Contains(prepared, StringComparer.Ordinal))
            texts.Add(prepared);
        if (OpaqueString.TryEnforce(text, out var opaque) && !texts.Contains(opaque, StringComparer.Ordinal))
            texts.Add(opaque);
        return texts.ConvertAll(Encoding.UTF8.GetBytes);
    }

    /// <summary>Overwrites them.</summary>
    public static void Zero(IReadOnlyList<byte[]> spellings)
    {
        foreach (var spelling in spellings)
            CryptographicOperations.ZeroMemory(spelling);
    }
}
