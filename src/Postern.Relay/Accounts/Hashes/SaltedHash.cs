using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// One digest of the password, with a salt behind it or without: <c>{SSHA}</c>, <c>{SHA256}</c>, <c>{SMD5}</c>, <c>{PLAIN-MD5}</c> and
/// their like (RFC 2307 §5.3, OpenLDAP, Dovecot). Whoever steals it guesses billions of passwords a second.
/// </summary>
internal sealed class SaltedHash : PasswordHash
{
    /// <summary>By name: the digest, and whether a salt stands behind it.</summary>
    private static readonly FrozenDictionary<string, (HashAlgorithmName Algorithm, bool IsSalted)> Schemes =
        new Dictionary<string, (HashAlgorithmName, bool)>(StringComparer.Ordinal)
    {
        ["SHA"] = (HashAlgorithmName.SHA1, false),
        ["SHA1"] = (HashAlgorithmName.SHA1, false),
        ["SHA256"] = (HashAlgorithmName.SHA256, false),
        ["SHA384"] = (HashAlgorithmName.SHA384, false),
        ["SHA512"] = (HashAlgorithmName.SHA512, false),
        ["MD5"] = (HashAlgorithmName.MD5, false), // of OpenLDAP; the one of Dovecot, a crypt hash, is tried before
        ["LDAP-MD5"] = (HashAlgorithmName.MD5, false),
        ["PLAIN-MD5"] = (HashAlgorithmName.MD5, false),
        ["SMD5"] = (HashAlgorithmName.MD5, true),
        ["SSHA"] = (HashAlgorithmName.SHA1, true),
        ["SSHA256"] = (HashAlgorithmName.SHA256, true),
        ["SSHA384"] = (HashAlgorithmName.SHA384, true),
        ["SSHA512"] = (HashAlgorithmName.SHA512, true),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static readonly HashFamily Family = new(
        TryParse, static stored => SchemeWord.Of(stored) is { } word && Schemes.ContainsKey(word.Name));

    private readonly HashAlgorithmName algorithm;
    private readonly byte[] digest;
    private readonly byte[] salt;

    private SaltedHash(string stored, string name, HashAlgorithmName algorithm, byte[] digest, byte[] salt)
        : base(stored)
    {
        Scheme = $"{{{name}}}";
        this.algorithm = algorithm;
        this.digest = digest;
        this.salt = salt;
    }

    public override string Scheme { get; }

    public override string Weakness => salt.Length == 0 ? "one fast digest without a salt" : "one fast digest";

    public override HashCost Cost => new($"digest {algorithm.Name}", 1);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var i = 0; i < cost.Units; i++)
            Verify(password);
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        hash.AppendData(password);
        hash.AppendData(salt);
        return HashAnswer.Of(CryptographicOperations.FixedTimeEquals(hash.GetHashAndReset(), digest));
    }

    private static SaltedHash? TryParse(string stored)
    {
        if (SchemeWord.Of(stored) is not { } word || !Schemes.TryGetValue(word.Name, out var scheme))
            return null;
        var size = CryptographicOperations.HashData(scheme.Algorithm, []).Length;
        return word.Octets(size) is { } octets && (scheme.IsSalted ? octets.Length > size : octets.Length == size)
            ? new SaltedHash(stored, word.Name, scheme.Algorithm, octets[..size], octets[size..])
            : null;
    }
}
