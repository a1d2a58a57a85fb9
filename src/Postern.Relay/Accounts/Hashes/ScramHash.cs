using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// A SCRAM verifier (RFC 5802 §3, RFC 7677), stored as RFC 5803 writes it:
/// <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>. It serves both a revealed password and a SCRAM exchange.
/// </summary>
internal sealed class ScramHash : PasswordHash
{
    /// <summary>For secrets of 128 random bits or more: guessing them is hopeless at any cost, so the least that RFC 7677 §4 allows.</summary>
    public const int GeneratedIterations = 4096;

    /// <summary>For passwords that people choose: about 45 ms of one core for every guess.</summary>
    public const int TypedIterations = 200_000;

    /// <summary>A stored count above this would stop the server rather than protect it.</summary>
    private const int MaxIterations = 10_000_000;

    private const int SaltOctets = 16;

    private ScramHash(string stored, string scheme, HashAlgorithmName algorithm, int iterations, byte[] salt, byte[] storedKey, byte[] serverKey)
        : base(stored)
    {
        Scheme = scheme;
        Algorithm = algorithm;
        Iterations = iterations;
        Salt = salt;
        StoredKey = storedKey;
        ServerKey = serverKey;
    }

    public override string Scheme { get; }

    public override string Description => $"a {Scheme} secret";

    public override StoredForms Forms => StoredForms.Password | FormOf(Algorithm);

    public HashAlgorithmName Algorithm { get; }

    public int Iterations { get; }

    public ReadOnlyMemory<byte> Salt { get; }

    public ReadOnlyMemory<byte> StoredKey { get; }

    public ReadOnlyMemory<byte> ServerKey { get; }

    /// <param name="hash">SHA-256 unless said otherwise.</param>
    public static ScramHash ForGenerated(Secret secret, HashAlgorithmName? hash = null) => Create(secret, GeneratedIterations, RandomNumberGenerator.GetBytes(SaltOctets), hash);

    /// <param name="hash">SHA-256 unless said otherwise.</param>
    public static ScramHash ForTyped(Secret secret, HashAlgorithmName? hash = null) => Create(secret, TypedIterations, RandomNumberGenerator.GetBytes(SaltOctets), hash);

    public static ScramHash Create(Secret secret, int iterations, byte[] salt, HashAlgorithmName? hash = null)
    {
        var algorithm = hash ?? HashAlgorithmName.SHA256;
        var password = Encoding.UTF8.GetBytes(secret.Reveal());
        var salted = Salted(password, salt, iterations, algorithm);
        var storedKey = StoredKeyOf(salted, algorithm);
        var serverKey = CryptographicOperations.HmacData(algorithm, salted, "Server Key"u8);
        CryptographicOperations.ZeroMemory(password);
        CryptographicOperations.ZeroMemory(salted);
        var stored = string.Create(
            CultureInfo.InvariantCulture,
            $"{NameOf(algorithm)}${iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(storedKey)}:{Convert.ToBase64String(serverKey)}");
        return new ScramHash(stored, NameOf(algorithm), algorithm, iterations, salt, storedKey, serverKey);
    }

    public static ScramHash? TryParse(string stored)
    {
        if (stored.Split('$') is not [var scheme, var cost, var keys] || AlgorithmOf(scheme) is not { } algorithm)
            return null;
        if (cost.Split(':') is not [var count, var salt] || keys.Split(':') is not [var storedKey, var serverKey])
            return null;
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is 0 or > MaxIterations)
            return null;
        if (!TryDecode(salt, out var saltOctets) || !TryDecode(storedKey, out var storedOctets) || !TryDecode(serverKey, out var serverOctets))
            return null;
        var size = CryptographicOperations.HashData(algorithm, []).Length;
        return saltOctets.Length == 0 || storedOctets.Length != size || serverOctets.Length != size
            ? null
            : new ScramHash(stored, scheme, algorithm, iterations, saltOctets, storedOctets, serverOctets);
    }

    public static StoredForms FormOf(HashAlgorithmName algorithm) => algorithm.Name switch
    {
        "SHA1" => StoredForms.ScramSha1,
        "SHA256" => StoredForms.ScramSha256,
        "SHA512" => StoredForms.ScramSha512,
        _ => StoredForms.None,
    };

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        var salted = Salted(password, Salt.Span, Iterations, Algorithm);
        var match = CryptographicOperations.FixedTimeEquals(StoredKeyOf(salted, Algorithm), StoredKey.Span);
        CryptographicOperations.ZeroMemory(salted);

        // HMAC pads a short key with NULs: the password and the password with a NUL behind it are one key.
        return HashAnswer.Of(match && !password.Contains((byte)0));
    }

    private static byte[] Salted(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations, HashAlgorithmName algorithm)
    {
        var prepared = PreparedPassword.Prepare(password);
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            prepared, salt, iterations, algorithm, CryptographicOperations.HashData(algorithm, []).Length);
        CryptographicOperations.ZeroMemory(prepared);
        return salted;
    }

    private static byte[] StoredKeyOf(byte[] salted, HashAlgorithmName algorithm) =>
        CryptographicOperations.HashData(algorithm, CryptographicOperations.HmacData(algorithm, salted, "Client Key"u8));

    private static bool TryDecode(string text, out byte[] octets)
    {
        octets = [];
        return Ascii.IsValid(text) && StrictBase64.TryDecode(Encoding.ASCII.GetBytes(text), out octets);
    }

    private static HashAlgorithmName? AlgorithmOf(string scheme) => scheme switch
    {
        "SCRAM-SHA-1" => HashAlgorithmName.SHA1,
        "SCRAM-SHA-256" => HashAlgorithmName.SHA256,
        "SCRAM-SHA-512" => HashAlgorithmName.SHA512,
        _ => null,
    };

    public static string NameOf(HashAlgorithmName algorithm) => algorithm.Name switch
    {
        "SHA1" => "SCRAM-SHA-1",
        "SHA256" => "SCRAM-SHA-256",
        _ => "SCRAM-SHA-512",
    };
}
