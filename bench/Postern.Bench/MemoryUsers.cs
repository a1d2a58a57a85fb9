using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Bench;

/// <summary>Sixteen users that answer every mechanism from memory.</summary>
internal sealed class MemoryUsers : IPasswordVerifier, IScramSecrets, ISharedSecrets, IDigestSecrets
{
    public const string Password = "k7m3-q9x2-pencil";
    public const string Realm = "bench.example.org";

    private readonly FrozenSet<string> names = Enumerable.Range(0, 16).Select(Name).ToFrozenSet(StringComparer.Ordinal);
    private readonly FrozenDictionary<HashAlgorithmName, ScramSecret> secrets =
        new[] { HashAlgorithmName.SHA1, HashAlgorithmName.SHA256, HashAlgorithmName.SHA512 }.ToFrozenDictionary(static a => a, static a => ScramSecret.Derive(a, Password, new byte[16], 4096));

    public SaslContext Context => new() { Passwords = this, ScramSecrets = this, SharedSecrets = this, DigestSecrets = this, Hostname = Realm };

    public IReadOnlyList<string> Realms { get; } = [Realm];

    public static string Name(int number) => $"user{number:0000}@example.org";

    public bool Serves(HashAlgorithmName algorithm) => true;

    public ValueTask<PasswordCheck> CheckAsync(string user, ReadOnlyMemory<byte> password, string? peer, CancellationToken ct)
    {
        var matches = secrets[HashAlgorithmName.SHA256].Matches(password.Span);
        return new(matches && names.Contains(user) ? new PasswordCheck.Match(user) : new PasswordCheck.NoMatch("wrong", names.Contains(user)));
    }

    public ValueTask<ScramLookup> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) =>
        new(names.Contains(user) ? new ScramLookup.Found(user, secrets[algorithm]) : new ScramLookup.Absent("unknown user", UserExists: false));

    public ValueTask<SecretLookup> FindSecretAsync(string user, string? peer, CancellationToken ct) => new(Find(user, Encoding.UTF8.GetBytes(Password)));

    public ValueTask<SecretLookup> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct)
    {
#pragma warning disable CA5351 // RFC 2831 is MD5
        return new(Find(user, MD5.HashData(Encoding.UTF8.GetBytes($"{user}:{realm}:{Password}"))));
#pragma warning restore CA5351
    }

    private SecretLookup Find(string user, byte[] secret) => names.Contains(user) ? new SecretLookup.Found(user, secret) : new SecretLookup.Absent("unknown user", UserExists: false);
}
