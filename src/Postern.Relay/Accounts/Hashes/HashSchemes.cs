using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>Every way in which new passwords are kept, best first.</summary>
public static class HashSchemes
{
    /// <summary>What is taken unless another is asked for.</summary>
    public static HashScheme Usual { get; } = Scram("scram-sha-256", "PLAIN, LOGIN and SCRAM-SHA-256", HashAlgorithmName.SHA256);

    /// <summary>The password itself, as a shared secret.</summary>
    public static HashScheme Shared { get; } = new("shared", "every mechanism, CRAM-MD5 among them; kept readable", MakeShared)
    {
        IsReadable = true,
    };

    /// <summary>Those that make sense as a credential of an account.</summary>
    public static ImmutableArray<HashScheme> ForAccounts { get; } =
    [
        Usual,
        Scram("scram-sha-512", "PLAIN, LOGIN and SCRAM-SHA-512", HashAlgorithmName.SHA512),
        Scram("scram-sha-1", "PLAIN, LOGIN and SCRAM-SHA-1", HashAlgorithmName.SHA1),
        new("digest-md5", "PLAIN, LOGIN and DIGEST-MD5 in one realm", MakeDigest) { IsReadable = true, NeedsRealm = true },
        Shared,
    ];

    /// <summary>All; the further ones are what other programs read.</summary>
    public static ImmutableArray<HashScheme> All { get; } =
    [
        .. ForAccounts,
        new("plain", "the same as shared", MakeShared) { IsReadable = true },
        Crypt("yescrypt", "$y$"),
        Crypt("bcrypt", "$2b$"),
        Crypt("sha512-crypt", "$6$"),
    ];

    /// <summary>
    /// Every kind of stored form that is understood, in the order in which a text is tried: what postern makes, then what comes from
    /// elsewhere.
    /// </summary>
    internal static ImmutableArray<HashFamily> Families { get; } =
    [
        ScramHash.Family,
        CryptHash.Family,
        DigestHash.Family,
        SharedHash.Family,
        Argon2Hash.Family,
        SaltedHash.Family,
        AprHash.Family,
        Pbkdf2Hash.Family,
        ScryptHash.Family,
        CramHash.Family,
    ];

    /// <summary>By its name, in any case; null for none.</summary>
    public static HashScheme? Find(string name) => All.FirstOrDefault(s => string.Equals(s.Name, name, StringComparison.OrdinalIgnoreCase));

    private static HashScheme Scram(string name, string meaning, HashAlgorithmName algorithm)
    {
        return new HashScheme(name, meaning, Make);

        PasswordHash? Make(HashRequest request, out string problem)
        {
            problem = string.Empty;
            if (request.Beside is { } there
                && there.Algorithm == algorithm
                && there.Beside(request.Password, request.IsGenerated) is { } alike)
                return alike;
            return request.IsGenerated
                ? ScramHash.ForGenerated(request.Password, algorithm)
                : ScramHash.ForTyped(request.Password, algorithm);
        }
    }

    private static HashScheme Crypt(string name, string prefix)
    {
        return new HashScheme(name, "PLAIN and LOGIN; crypt(3)", Make);

        PasswordHash? Make(HashRequest request, out string problem)
        {
            problem = CryptHash.Create(prefix, request.Password.Reveal(), out var made) switch
            {
                HashAnswer.Unavailable(var reason) => reason,
                HashAnswer.Unusable(var reason) => reason,
                _ => string.Empty,
            };
            return made;
        }
    }

    private static PasswordHash? MakeShared(HashRequest request, out string problem)
    {
        problem = "the password holds a control character, or one that is no text";
        return SharedHash.Create(request.Password.Reveal());
    }

    /// <summary>The password was looked at before (<see cref="PasswordRules"/>).</summary>
    private static PasswordHash? MakeDigest(HashRequest request, out string problem)
    {
        problem = "DIGEST-MD5 cannot hash this user or realm: neither may be empty or hold a control character, and the realm no colon";
        return DigestHash.Create(request.User, request.Realm, request.Password.Reveal());
    }
}
