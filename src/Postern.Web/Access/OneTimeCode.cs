using System.Security.Cryptography;
using OtpNet;

namespace Postern.Web.Access;

/// <summary>Codes that an authenticator shows, each good for 30 seconds (RFC 6238, six digits, SHA-1: what every program knows).</summary>
internal static class OneTimeCode
{
    private const int Digits = 6;

    /// <summary>RFC 4226 §4 R6: 160 bits.</summary>
    private const int SecretOctets = 20;

    /// <summary>The clock of a telephone may be half a minute off (RFC 6238 §5.2).</summary>
    private static readonly VerificationWindow Window = new(previous: 1, future: 1);

    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretOctets);

    /// <summary>
    /// The time step that a code belongs to; null where it is wrong, or not newer than <paramref name="after"/>, the step of the last one
    /// that was taken: a code counts once (RFC 6238 §5.2).
    /// </summary>
    public static long? StepOf(byte[] secret, string code, DateTimeOffset now, long after)
    {
        // People write the space that authenticators show.
        var digits = code.Replace(" ", string.Empty, StringComparison.Ordinal);
        return digits.Length == Digits
            && digits.All(char.IsAsciiDigit)
            && new Totp(secret).VerifyTotp(now.UtcDateTime, digits, out var step, Window)
            && step > after
            ? step
            : null;
    }

    /// <summary>The code of a moment, as an authenticator shows it.</summary>
    public static string Of(byte[] secret, DateTimeOffset now) => new Totp(secret).ComputeTotp(now.UtcDateTime);

    /// <summary>The secret as people type it into an authenticator.</summary>
    public static string TextOf(byte[] secret) => Base32Encoding.ToString(secret).TrimEnd('=');

    /// <summary>What an authenticator reads from a picture.</summary>
    /// <param name="server">The name of the server.</param>
    public static string AddressOf(byte[] secret, string server, string person)
    {
        var issuer = Uri.EscapeDataString($"Postern {server}");
        return $"otpauth://totp/{issuer}:{Uri.EscapeDataString(person)}?secret={TextOf(secret)}&issuer={issuer}";
    }
}
