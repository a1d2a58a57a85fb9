using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// H(user:realm:password), the secret of DIGEST-MD5 (RFC 2831 §2.1.2.1), stored as <c>{DIGEST-MD5}user:realm:hash</c>: behind the prefix it
/// is a line of an htdigest file. Whoever has it can log in by DIGEST-MD5 in that realm.
/// </summary>
internal sealed class DigestHash : PasswordHash
{
    public const string Prefix = "{DIGEST-MD5}";

    public static readonly HashFamily Family = new(
        TryParse, static stored => stored.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase));

    private DigestHash(string stored, string user, string realm, byte[] secret)
        : base(stored)
    {
        User = user;
        Realm = realm;
        Secret = secret;
    }

    public override string Scheme => "digest-md5";

    public override string Description => $"a DIGEST-MD5 secret of the realm '{Realm}'";

    public override StoredForms Forms => StoredForms.Password | StoredForms.Digest;

    /// <summary>As the client has to write it: it is part of what was hashed.</summary>
    public string User { get; }

    public string Realm { get; }

    /// <summary>16 octets.</summary>
    public ReadOnlyMemory<byte> Secret { get; }

    /// <summary>Null where user or realm cannot stand in such a line.</summary>
    /// <exception cref="ArgumentException">The password is none (<see cref="Postern.Sasl.Preparation.PasswordText"/>).</exception>
    public static DigestHash? Create(string user, string realm, string password) =>
        realm.Contains(':', StringComparison.Ordinal)
            ? null
            : TryParse($"{Prefix}{user}:{realm}:{Convert.ToHexStringLower(DigestSecret.Derive(user, realm, password))}");

    public static DigestHash? TryParse(string stored)
    {
        if (!stored.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var line = stored.AsSpan(Prefix.Length);
        var last = line.LastIndexOf(':');
        var first = last < 0 ? -1 : line[..last].LastIndexOf(':');
        if (first <= 0
            || last - first < 2
            || line[(last + 1)..] is not { Length: DigestSecret.Size * 2 } digits
            || line.ContainsAnyInRange('\0', '\u001f'))
            return null;
        var secret = new byte[DigestSecret.Size];
        return Convert.FromHexString(digits, secret, out _, out var written) == System.Buffers.OperationStatus.Done
            && written == secret.Length
            ? new DigestHash(stored, line[..first].ToString(), line[(first + 1)..last].ToString(), secret)
            : null;
    }

    public override bool KnowsSpellings => true;

    public override HashCost Cost => new("digest", 1);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var i = 0; i < cost.Units; i++)
            _ = new DigestHash(string.Empty, "nobody", Realm, new byte[DigestSecret.Size]).Verify(password);
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        if (SharedHash.Prepare(password) is not { } text)
            return HashAnswer.NoMatch.Instance;
        return HashAnswer.Of(
            CryptographicOperations.FixedTimeEquals(DigestSecret.Derive(User, Realm, text), Secret.Span)
            | CryptographicOperations.FixedTimeEquals(
                DigestSecret.DeriveExactly(User, Realm, Encoding.UTF8.GetString(password)), Secret.Span));
    }
}
