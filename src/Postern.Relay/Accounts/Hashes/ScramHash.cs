using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// A SCRAM verifier (RFC 5802 §3, RFC 7677), stored as RFC 5803 writes it:
/// <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>. It serves both a revealed password and a SCRAM exchange.
/// </summary>
internal sealed class ScramHash : PasswordHash
{
    /// <summary>
    /// For secrets of 128 random bits or more: guessing them is hopeless at any cost, so the least that RFC 7677 §4 allows.
    /// </summary>
    public const int GeneratedIterations = 4096;

    /// <summary>For passwords that people choose: about 45 ms of one core for every guess.</summary>
    public const int TypedIterations = 200_000;

    /// <summary>A stored count above this would stop the server rather than protect it.</summary>
    private const int MaxIterations = 10_000_000;

    private const int SaltOctets = 16;

    /// <summary>What others have imported need not be made again.</summary>
    private const int MostShared = 1_000_000;

    public static readonly HashFamily Family = new(
        TryParse, static stored => WordOf(stored) is not null || AlgorithmOf(stored.Split('$')[0]) is not null, "10000000 rounds");

    private readonly ScramSecret secret;

    private ScramHash(string stored, string scheme, ScramSecret secret)
        : base(stored)
    {
        Scheme = scheme;
        Computation = stored[..stored.LastIndexOf('$')];
        this.secret = secret;
    }

    public override string Scheme { get; }

    public override string Description => $"a {Scheme} secret";

    public override StoredForms Forms => StoredForms.Password | FormOf(Algorithm);

    public HashAlgorithmName Algorithm => secret.Algorithm;

    public int Iterations => secret.Iterations;

    public ReadOnlyMemory<byte> Salt => secret.Salt;

    public ReadOnlyMemory<byte> StoredKey => secret.StoredKey;

    public ReadOnlyMemory<byte> ServerKey => secret.ServerKey;

    /// <param name="hash">SHA-256 unless said otherwise.</param>
    public static ScramHash ForGenerated(Secret secret, HashAlgorithmName? hash = null) =>
        Create(secret, GeneratedIterations, RandomNumberGenerator.GetBytes(SaltOctets), hash);

    /// <param name="hash">SHA-256 unless said otherwise.</param>
    public static ScramHash ForTyped(Secret secret, HashAlgorithmName? hash = null) =>
        Create(secret, TypedIterations, RandomNumberGenerator.GetBytes(SaltOctets), hash);

    /// <exception cref="ArgumentException">The password is none; <see cref="PasswordRules"/> says so before.</exception>
    public static ScramHash Create(Secret secret, int iterations, byte[] salt, HashAlgorithmName? hash = null)
    {
        var scram = ScramSecret.Derive(hash ?? HashAlgorithmName.SHA256, secret.Reveal(), salt, iterations);
        var scheme = NameOf(scram.Algorithm);
        var stored = string.Create(
            CultureInfo.InvariantCulture,
            $"{scheme}${iterations}:{Convert.ToBase64String(salt)}"
                + $"${Convert.ToBase64String(scram.StoredKey.Span)}:{Convert.ToBase64String(scram.ServerKey.Span)}");
        return new ScramHash(stored, scheme, scram);
    }

    /// <summary>Dovecot writes <c>{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey</c>; it is kept as RFC 5803 has it.</summary>
    public static ScramHash? TryParse(string stored)
    {
        if (WordOf(stored) is { } word)
        {
            stored = word.Text()?.Split(',') is [var rounds, var dovecotSalt, var first, var second]
                ? $"{word.Name}${rounds}:{dovecotSalt}${first}:{second}"
                : word.Text() is { } text && text.StartsWith(word.Name + '$', StringComparison.Ordinal) ? text
                : string.Empty;
        }

        if (stored.Split('$') is not [var scheme, var cost, var keys] || AlgorithmOf(scheme) is not { } algorithm)
            return null;
        if (cost.Split(':') is not [var count, var salt] || keys.Split(':') is not [var storedKey, var serverKey])
            return null;
        if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is 0 or > MaxIterations)
            return null;
        if (!TryDecode(salt, out var saltOctets)
            || !TryDecode(storedKey, out var storedOctets)
            || !TryDecode(serverKey, out var serverOctets))
            return null;
        var size = CryptographicOperations.HashData(algorithm, []).Length;
        return saltOctets.Length == 0 || storedOctets.Length != size || serverOctets.Length != size
            ? null
            : new ScramHash(stored, scheme, new ScramSecret(algorithm, iterations, saltOctets, storedOctets, serverOctets));
    }

    public static StoredForms FormOf(HashAlgorithmName algorithm) => algorithm.Name switch
    {
        "SHA1" => StoredForms.ScramSha1,
        "SHA256" => StoredForms.ScramSha256,
        "SHA512" => StoredForms.ScramSha512,
        _ => StoredForms.None,
    };

    public override bool KnowsSpellings => true;

    /// <summary>Algorithm, count and salt.</summary>
    public override string Computation { get; }

    /// <summary>The place of the one whose password it is, of several with one <see cref="Computation"/>; negative for none.</summary>
    public static int FindMatch(IEnumerable<ScramHash> alike, ReadOnlySpan<byte> password) =>
        ScramSecret.FindMatch([.. alike.Select(static one => one.secret)], password);

    /// <summary>
    /// The same for a secret beside this one: one challenge serves both. Null where this one's count is too low for what a person chose, or
    /// so high that nothing is made like it.
    /// </summary>
    public ScramHash? Beside(Secret other, bool isGenerated) =>
        Iterations <= MostShared && (isGenerated || Iterations >= TypedIterations)
            ? Create(other, Iterations, Salt.ToArray(), Algorithm)
            : null;

    public override HashCost Cost => new($"pbkdf2 {Scheme}", Iterations);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        var nothing = new byte[64];
        for (var left = cost.Units; left > 0; left -= MaxIterations)
        {
            _ = new ScramSecret(
                Algorithm, (int)Math.Min(left, MaxIterations), nothing.AsMemory(0, SaltOctets), nothing, nothing).Matches(password);
        }

        return HashAnswer.NoMatch.Instance;
    }

    /// <summary>What is no text never matches: it could not have been set. Its spellings are tried there.</summary>
    public override HashAnswer Verify(ReadOnlySpan<byte> password) => HashAnswer.Of(secret.Matches(password));

    private static bool TryDecode(string text, out byte[] octets)
    {
        octets = [];
        return Ascii.IsValid(text) && StrictBase64.TryDecode(Encoding.ASCII.GetBytes(text), out octets);
    }

    private static SchemeWord? WordOf(string stored) =>
        SchemeWord.Of(stored) is { } word && AlgorithmOf(word.Name) is not null ? word : null;

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
