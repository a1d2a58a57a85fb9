using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// PBKDF2 (RFC 8018 §5.2) as other programs store it: Dovecot (<c>{PBKDF2}$1$salt$rounds$hash</c>), OpenLDAP
/// (<c>{PBKDF2-SHA256}rounds$salt$hash</c>), passlib and PHC strings (<c>$pbkdf2-sha256$rounds$salt$hash</c>,
/// <c>$pbkdf2-sha256$i=rounds$salt$hash</c>), Django (<c>pbkdf2_sha256$rounds$salt$hash</c>) and Werkzeug
/// (<c>pbkdf2:sha256:rounds$salt$hash</c>).
/// </summary>
internal sealed class Pbkdf2Hash : PasswordHash
{
    public static readonly HashFamily Family = new(TryParse, static stored => IsOne(stored), Limits);

    private const int MaxRounds = 10_000_000;
    private const string Limits = "10000000 rounds (PBKDF2)";

    /// <summary>Fewer are computed too fast to protect a password that a person chose.</summary>
    private const int FewRounds = 10_000;

    private readonly HashAlgorithmName algorithm;
    private readonly int rounds;
    private readonly byte[] salt;
    private readonly byte[] hash;

    private Pbkdf2Hash(string stored, HashAlgorithmName algorithm, int rounds, byte[] salt, byte[] hash)
        : base(stored)
    {
        this.algorithm = algorithm;
        this.rounds = rounds;
        this.salt = salt;
        this.hash = hash;
    }

    public override string Scheme => $"PBKDF2-{algorithm.Name}";

    public override string? Weakness =>
        rounds < FewRounds ? string.Create(CultureInfo.InvariantCulture, $"only {rounds} rounds of PBKDF2") : null;

    /// <summary>A longer hash costs the rounds again for each digest that it holds.</summary>
    public override HashCost Cost => new($"pbkdf2 {algorithm.Name}", (long)rounds * Blocks);

    private int Blocks => (hash.Length + Size - 1) / Size;

    private int Size => CryptographicOperations.HashData(algorithm, []).Length;

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var left = cost.Units; left > 0; left -= MaxRounds)
            _ = Rfc2898DeriveBytes.Pbkdf2(password, "nobody's salt..."u8, (int)Math.Min(left, MaxRounds), algorithm, Size);
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password) =>
        HashAnswer.Of(
            CryptographicOperations.FixedTimeEquals(Rfc2898DeriveBytes.Pbkdf2(password, salt, rounds, algorithm, hash.Length), hash));

    private static bool IsOne(string stored) =>
        stored.StartsWith("{PBKDF2", StringComparison.OrdinalIgnoreCase)
        || stored.StartsWith("$pbkdf2", StringComparison.Ordinal)
        || stored.StartsWith("pbkdf2_", StringComparison.Ordinal)
        || stored.StartsWith("pbkdf2:", StringComparison.Ordinal);

    private static Pbkdf2Hash? TryParse(string stored)
    {
        if (!IsOne(stored))
            return null;
        if (SchemeWord.Of(stored) is { } word)
        {
            return word.Text()?.Split('$') switch
            {
                // The salt is text, and taken as it is written.
                ["", "1", var salt, var rounds, var hash] when word.Name == "PBKDF2" =>
                    Create(stored, HashAlgorithmName.SHA1, rounds, Encoding.UTF8.GetBytes(salt), Hex(hash)),
                [var rounds, var salt, var hash] =>
                    Create(
                        stored,
                        AlgorithmOf(word.Name["PBKDF2".Length..].TrimStart('-')),
                        rounds,
                        SchemeWord.Base64(salt),
                        SchemeWord.Base64(hash)),
                _ => null,
            };
        }

        return stored.Split('$') switch
        {
            ["", var name, var rounds, var salt, var hash] =>
                Create(
                    stored,
                    AlgorithmOf(name["pbkdf2".Length..].TrimStart('-')),
                    RoundsOf(rounds),
                    SchemeWord.Base64(salt),
                    SchemeWord.Base64(hash)),
            [var name, var rounds, var salt, var hash] when name.StartsWith("pbkdf2_", StringComparison.Ordinal) =>
                Create(stored, AlgorithmOf(name["pbkdf2_".Length..]), rounds, Encoding.UTF8.GetBytes(salt), SchemeWord.Base64(hash)),
            [var how, var salt, var hash] when how.Split(':') is ["pbkdf2", var name, var rounds] =>
                Create(stored, AlgorithmOf(name), rounds, Encoding.UTF8.GetBytes(salt), Hex(hash)),
            _ => null,
        };
    }

    /// <summary>A number, or <c>i=number</c> among the parameters of a PHC string.</summary>
    private static string RoundsOf(string text) =>
        text.Split(',').FirstOrDefault(static p => p.StartsWith("i=", StringComparison.Ordinal))?[2..] ?? text;

    private static HashAlgorithmName? AlgorithmOf(string name) => name.ToUpperInvariant() switch
    {
        "" or "SHA1" => HashAlgorithmName.SHA1,
        "SHA256" => HashAlgorithmName.SHA256,
        "SHA384" => HashAlgorithmName.SHA384,
        "SHA512" => HashAlgorithmName.SHA512,
        _ => null,
    };

    private static Pbkdf2Hash? Create(string stored, HashAlgorithmName? algorithm, string rounds, byte[]? salt, byte[]? hash)
    {
        if (algorithm is not { } known || salt is null or { Length: 0 or > 1024 } || hash is null)
            return null;
        if (!int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count < 1
            || hash.Length is < 16 or > 128)
            return null;
        var made = new Pbkdf2Hash(stored, known, count, salt, hash);
        return made.Cost.Units > MaxRounds ? null : made;
    }

    private static byte[]? Hex(string text) => new SchemeWord(string.Empty, "HEX", text).Octets(size: 0);
}
