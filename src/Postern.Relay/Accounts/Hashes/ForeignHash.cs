using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// Tells stored texts that look like the hash of another program, or like a locked or borrowed line, from readable passwords: a hash that
/// cannot be verified is never a password. A readable password that looks so is written with <c>{PLAIN}</c>.
/// </summary>
/// <remarks>Nothing of the text is quoted but the names of schemes that are known: the rest may be a password after all.</remarks>
internal static class ForeignHash
{
    /// <summary>A traditional hash of crypt(3), which has no prefix.</summary>
    public const string Des = "a DES crypt hash";

    /// <summary>Longest names first, so that each is found whole.</summary>
    private static readonly ImmutableArray<string> Prefixes =
    [
        .. new[]
        {
            "{SSHA}", "{SSHA256}", "{SSHA384}", "{SSHA512}", "{SHA384}", "{SHA}", "{SHA1}", "{SHA256}", "{SHA512}", "{MD5}", "{SMD5}",
            "{PLAIN-MD5}", "{LDAP-MD5}", "{HMAC-MD5}", "{CRAM-MD5}", "{DIGEST-MD5}",
            "{CRYPT}", "{DES-CRYPT}", "{MD5-CRYPT}", "{BLF-CRYPT}", "{SHA256-CRYPT}", "{SHA512-CRYPT}", "{SCRAM-SHA-1}", "{SCRAM-SHA-256}",
            "{SCRAM-SHA-512}", "{PBKDF2}", "{PBKDF2-SHA1}", "{PBKDF2-SHA256}", "{PBKDF2-SHA512}", "{PKCS5S2}", "{PLAIN-TRUNC}",
            "{PLAIN-MD4}", "{ARGON2I}", "{ARGON2ID}", "{ARGON2}",
            "{NTLM}", "{LANMAN}", "{RPA}", "{SKEY}", "{OTP}", "{SASL}", "{PLAIN}", "{CLEAR}", "{CLEARTEXT}",
            "$argon2id$", "$argon2i$", "$argon2d$", "$apr1$", "$scrypt$", "$pbkdf2$", "$pbkdf2-sha1$", "$pbkdf2-sha256$", "$pbkdf2-sha512$",
            "$bcrypt-sha256$", "$sha1$", "$md5$", "$3$", "$P$", "$H$", "$S$", "$8$", "$9$",
            "$2x$", "$2$", "$2a$", "$2b$", "$2y$", "$1$", "$5$", "$6$", "$7$", "$y$", "$gy$",
            "SCRAM-SHA-1$", "SCRAM-SHA-256$", "SCRAM-SHA-512$", "pbkdf2_sha256$", "pbkdf2_sha1$", "bcrypt_sha256$", "bcrypt$", "argon2$",
            "scrypt$", "sha1$", "md5$", "pbkdf2:", "scrypt:",
        }.OrderByDescending(static p => p.Length),
    ];

    private static readonly int[] DigestDigits = [32, 40, 56, 64, 96, 128];

    /// <summary>A text as files of other systems have it where no password logs in.</summary>
    public static bool IsLocked(string stored) => stored.TrimStart() is ['!' or '*', ..] or "x";

    /// <summary>
    /// What <paramref name="stored"/> seems to be, as part of a sentence; null where it is a readable password as far as can be seen.
    /// </summary>
    public static string? Look(string stored)
    {
        var text = stored.Trim();
        if (text.Length == 0)
            return "empty";
        if (IsLocked(stored))
            return "a locked password ('!', '*' or 'x')";
        if (Prefixes.FirstOrDefault(p => text.StartsWith(p, StringComparison.OrdinalIgnoreCase)) is { } known)
            return $"a {known} hash";
        if (text[0] == '{' && text.IndexOf('}', StringComparison.Ordinal) > 0)
            return "a {...} hash of a scheme that is not known here";
        if (text[0] == '$' && text.IndexOf('$', 1) > 0)
            return "a $...$ hash of a kind that is not known here";
        var fields = text.Split(':');
        if (fields.Length >= 6 && fields[1].All(char.IsAsciiDigit) && fields[2].All(char.IsAsciiDigit))
            return "a line of a passwd or shadow file";
        if (fields.Length >= 2 && fields[^1] is { Length: 32 } && fields[^1].All(char.IsAsciiHexDigit))
            return "a line of an htdigest file";
        if (text.All(char.IsAsciiHexDigit) && DigestDigits.Contains(text.Length))
            return "a digest in hexadecimal digits";
        if (text.Length == 35 && text.StartsWith("md5", StringComparison.Ordinal) && text[3..].All(char.IsAsciiHexDigit))
            return "an md5 hash of PostgreSQL";
        return IsDes(text) ? Des : null;
    }

    /// <summary>
    /// 13 characters, or 20 behind an underscore. Without letters in both cases and something else it is taken for a word; about one hash
    /// in fifteen is such a word.
    /// </summary>
    private static bool IsDes(string text)
    {
        var isLong = text is { Length: 20 } && text[0] == '_';
        var rest = isLong ? text.AsSpan(1) : text;
        if (!isLong && text.Length != 13)
            return false;
        var (upper, lower, other) = (false, false, false);
        foreach (var c in rest)
        {
            upper |= char.IsAsciiLetterUpper(c);
            lower |= char.IsAsciiLetterLower(c);
            other |= char.IsAsciiDigit(c) || c is '.' or '/';
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '/'))
                return false;
        }

        return upper && lower && other;
    }
}
