using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Preparation;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// The password itself, stored as <c>{PLAIN}password</c>: every mechanism can be answered with it, and whoever reads it has it. For clients
/// that know nothing better than CRAM-MD5.
/// </summary>
internal sealed class SharedHash : PasswordHash
{
    public const string Prefix = "{PLAIN}";

    public static readonly HashFamily Family = new(TryParse, Claims);

    private readonly string password;
    private readonly ScramSecret?[] derived = new ScramSecret?[3];
    private KeptDigest? digest;

    private SharedHash(string stored, string password)
        : base(stored)
    {
        this.password = password;
        Secret = Encoding.UTF8.GetBytes(password);
        var spellings = PasswordText.Spellings(Encoding.UTF8.GetBytes(stored.Length > Prefix.Length ? stored[Prefix.Length..] : password));
        OtherSpellings = [.. spellings.Where(s => !Secret.Span.SequenceEqual(s)).Select(static s => (ReadOnlyMemory<byte>)s)];
    }

    public override string Scheme => "shared";

    public override string Description => "a shared secret";

    public override StoredForms Forms => StoredForms.All;

    /// <summary>UTF-8, prepared.</summary>
    public ReadOnlyMemory<byte> Secret { get; }

    /// <summary>UTF-8: as it was typed, and as OpaqueString has it, where that is not the same.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OtherSpellings { get; }

    /// <summary>Other words for the prefix, in any case, are those of Dovecot.</summary>
    public static SharedHash? TryParse(string stored) => WordOf(stored)?.Text() is { } password ? Create(password) : null;

    /// <summary>It says that it is readable.</summary>
    public static bool Claims(string stored) => WordOf(stored) is not null;

    /// <summary>Null for what is no password (<see cref="PasswordText"/>), and for none.</summary>
    public static SharedHash? Create(string password) =>
        PasswordText.TryPrepare(password, out var prepared) ? new SharedHash(Prefix + password, prepared) : null;

    public override bool KnowsSpellings => true;

    public override HashCost Cost => new("shared", 1);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var i = 0; i < cost.Units; i++)
            _ = new SharedHash(string.Empty, "nobody").Verify(password);
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        // Hashed first: the time must not tell the length.
        var prepared = Prepare(password) is { } text ? Encoding.UTF8.GetBytes(text) : [];
        return HashAnswer.Of(
            CryptographicOperations.FixedTimeEquals(SHA256.HashData(prepared), SHA256.HashData(Secret.Span)) && prepared.Length > 0);
    }

    /// <summary>DIGEST-MD5 of the other spellings.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OtherDigestsFor(string user, string realm) =>
        [.. OtherSpellings.Select(s => (ReadOnlyMemory<byte>)DigestSecret.DeriveExactly(user, realm, Encoding.UTF8.GetString(s.Span)))];

    /// <summary>
    /// For <paramref name="user"/> as the client writes it. The last one is kept: to compute it anew would tell by the time that the user
    /// exists.
    /// </summary>
    public ReadOnlyMemory<byte> DigestFor(string user, string realm)
    {
        var kept = digest;
        if (kept?.User != user || kept.Realm != realm)
            digest = kept = new KeptDigest(user, realm, DigestSecret.Derive(user, realm, password));
        return kept.Secret;
    }

    /// <summary>
    /// A SCRAM secret with the salt that a stranger of the same name would be shown. Computed once: a hash is one user's.
    /// </summary>
    public ScramSecret Scram(string user, HashAlgorithmName algorithm, Decoys decoys)
    {
        ref var slot = ref derived[algorithm.Name switch { "SHA1" => 0, "SHA256" => 1, _ => 2 }];
        return slot ??= ScramSecret.Derive(algorithm, password, decoys.Salt(user, algorithm), decoys.Iterations);
    }

    /// <summary>What a client sent, as text that can be compared; null for what no stored password can be.</summary>
    internal static string? Prepare(ReadOnlySpan<byte> password) =>
        System.Text.Unicode.Utf8.IsValid(password) && PasswordText.TryPrepare(Encoding.UTF8.GetString(password), out var prepared)
            ? prepared
            : null;

    private static SchemeWord? WordOf(string stored) =>
        SchemeWord.Of(stored) is { Name: "PLAIN" or "CLEAR" or "CLEARTEXT" } word ? word : null;

    private sealed record KeptDigest(string User, string Realm, byte[] Secret);
}
