using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Verifiers;

/// <summary>
/// What a server stores instead of a password (RFC 5802 §3): enough to check a proof and to prove itself, not enough to log in elsewhere with
/// ease. Its text shows nothing of it.
/// </summary>
public sealed class ScramSecret(HashAlgorithmName algorithm, int iterations, ReadOnlyMemory<byte> salt, ReadOnlyMemory<byte> storedKey, ReadOnlyMemory<byte> serverKey)
{
    /// <summary>SHA1, SHA256 or SHA512.</summary>
    public HashAlgorithmName Algorithm => algorithm;

    /// <summary>Rounds of PBKDF2 that a client computes.</summary>
    public int Iterations => iterations;

    /// <summary>Sent to the client.</summary>
    public ReadOnlyMemory<byte> Salt => salt;

    /// <summary>H(ClientKey).</summary>
    public ReadOnlyMemory<byte> StoredKey => storedKey;

    /// <summary>HMAC(SaltedPassword, "Server Key").</summary>
    public ReadOnlyMemory<byte> ServerKey => serverKey;

    /// <summary>Derives the secret from a password; costs <paramref name="iterations"/> rounds of PBKDF2.</summary>
    /// <exception cref="ArgumentException">SASLprep prohibits the password, or it is empty.</exception>
    public static ScramSecret Derive(HashAlgorithmName algorithm, string password, ReadOnlySpan<byte> salt, int iterations)
    {
        if (!SaslPrep.TryPrepareStored(password, out var prepared) || prepared.Length == 0)
            throw new ArgumentException("SASLprep does not allow this password (RFC 4013)", nameof(password));
        var octets = Encoding.UTF8.GetBytes(prepared);
        var salted = Rfc2898DeriveBytes.Pbkdf2(octets, salt, iterations, algorithm, Scram.ScramFunctions.SizeOf(algorithm));
        var secret = FromSaltedPassword(algorithm, salted, salt, iterations);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(octets);
        return secret;
    }

    /// <summary>
    /// True when <paramref name="password"/>, as a client revealed it (PLAIN, LOGIN), is the one. Octets that are not UTF-8, and what SASLprep prohibits, are
    /// never it; they cost <see cref="Iterations"/> rounds of PBKDF2 like any other.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> password)
    {
        var isPrepared = SaslPrep.TryPrepareQuery(password, out var prepared) && prepared.Length > 0;
        var salted = Rfc2898DeriveBytes.Pbkdf2(prepared, salt.Span, iterations, algorithm, Scram.ScramFunctions.SizeOf(algorithm));
        var candidate = FromSaltedPassword(algorithm, salted, salt.Span, iterations);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(prepared);
        return CryptographicOperations.FixedTimeEquals(candidate.StoredKey.Span, storedKey.Span) && isPrepared;
    }

    /// <summary>No part of it.</summary>
    public override string ToString() => "***";

    private static ScramSecret FromSaltedPassword(HashAlgorithmName algorithm, ReadOnlySpan<byte> salted, ReadOnlySpan<byte> salt, int iterations)
    {
        var clientKey = CryptographicOperations.HmacData(algorithm, salted, "Client Key"u8);
        var secret = new ScramSecret(
            algorithm,
            iterations,
            salt.ToArray(),
            CryptographicOperations.HashData(algorithm, clientKey),
            CryptographicOperations.HmacData(algorithm, salted, "Server Key"u8));
        CryptographicOperations.ZeroMemory(clientKey);
        return secret;
    }
}
