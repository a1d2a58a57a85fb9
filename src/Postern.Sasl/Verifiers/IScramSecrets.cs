using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Preparation;

namespace Postern.Sasl.Verifiers;

/// <summary>Gives the stored half of a SCRAM login (RFC 5802 §3).</summary>
public interface IScramSecrets : IProofListener
{
    /// <summary>
    /// Looks up <paramref name="user"/>, SASLprepared but otherwise as the client sent it. A user that does not exist, or has no secret of
    /// this kind, is <see cref="LoginAnswer.NoMatch"/>: the mechanism then goes on with a made-up salt, so that the client learns nothing.
    /// </summary>
    /// <param name="algorithm">SHA1, SHA256 or SHA512.</param>
    ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct);

    /// <summary>True when some user may have a secret of this kind: else the mechanism is not offered.</summary>
    bool Serves(HashAlgorithmName algorithm);
}

/// <summary>
/// What a server stores instead of a password (RFC 5802 §3): enough to check a proof and to prove itself, not enough to log in elsewhere
/// with ease. Its text shows nothing of it.
/// </summary>
public sealed class ScramSecret(
    HashAlgorithmName algorithm, int iterations, ReadOnlyMemory<byte> salt, ReadOnlyMemory<byte> storedKey, ReadOnlyMemory<byte> serverKey)
{
    private const string NotEquals = "a secret is not a text and never equal to one: Matches compares them";

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
    /// <exception cref="ArgumentException">The password is none (<see cref="PasswordText"/>), or it is empty.</exception>
    public static ScramSecret Derive(HashAlgorithmName algorithm, string password, ReadOnlySpan<byte> salt, int iterations)
    {
        if (!PasswordText.TryPrepare(password, out var prepared))
            throw new ArgumentException("a password is text without control characters (RFC 8265 §4.2)", nameof(password));
        var octets = Encoding.UTF8.GetBytes(prepared);
        var salted = Rfc2898DeriveBytes.Pbkdf2(octets, salt, iterations, algorithm, Scram.ScramFunctions.SizeOf(algorithm));
        var secret = FromSaltedPassword(algorithm, salted, salt, iterations);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(octets);
        return secret;
    }

    /// <summary>
    /// True when <paramref name="password"/>, as a client revealed it (PLAIN, LOGIN), is the one, in any of its spellings
    /// (<see cref="PasswordText"/>). Octets that are not UTF-8, and control characters, are never it; they cost <see cref="Iterations"/>
    /// rounds of PBKDF2 like any other. A password that has several spellings costs so much for each.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> password) => FindMatch([this], password) == 0;

    /// <summary>
    /// The place of the first of these whose password it is, as in <see cref="Matches"/>; negative for none. They have algorithm, salt and
    /// count in common, so that all of them cost as much as one.
    /// </summary>
    /// <exception cref="ArgumentException">They differ in that, or there is none.</exception>
    public static int FindMatch(IReadOnlyList<ScramSecret> alike, ReadOnlySpan<byte> password)
    {
        if (alike.Count == 0 || alike.Any(one => !one.IsAlike(alike[0])))
            throw new ArgumentException("secrets that are looked at together have algorithm, salt and count in common", nameof(alike));
        var first = alike[0];
        var isText = PasswordText.IsText(password);
        var at = -1;
        var spellings = PasswordText.Spellings(password);
        for (var i = 0; i < spellings.Count && at < 0; i++)
        {
            var key = first.StoredKeyOf(spellings[i]);
            for (var j = 0; j < alike.Count; j++)
            {
                if (CryptographicOperations.FixedTimeEquals(key, alike[j].StoredKey.Span) && at < 0)
                    at = j;
            }
        }

        PasswordText.Zero(spellings);
        return isText ? at : -1;
    }

    /// <summary>Algorithm, salt and count are the same: one challenge serves both, and one computation.</summary>
    public bool IsAlike(ScramSecret other) =>
        algorithm == other.Algorithm && iterations == other.Iterations && salt.Span.SequenceEqual(other.Salt.Span);

    /// <summary>It would be false whatever the text is, so it does not compile: <see cref="Matches"/> is meant.</summary>
    [Obsolete(NotEquals, error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public bool Equals(string? text) => throw new NotSupportedException(NotEquals);

    /// <summary>No part of it.</summary>
    public override string ToString() => "***";

    private byte[] StoredKeyOf(ReadOnlySpan<byte> spelling)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(spelling, salt.Span, iterations, algorithm, Scram.ScramFunctions.SizeOf(algorithm));
        var key = FromSaltedPassword(algorithm, salted, salt.Span, iterations).StoredKey.ToArray();
        CryptographicOperations.ZeroMemory(salted);
        return key;
    }

    private static ScramSecret FromSaltedPassword(
        HashAlgorithmName algorithm, ReadOnlySpan<byte> salted, ReadOnlySpan<byte> salt, int iterations)
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
