using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl;

/// <summary>
/// Made-up secrets for users that do not exist, so that a challenge does not tell them from those that do: the same name gets the same salt
/// for as long as the key is the same.
/// </summary>
public sealed class Decoys
{
    private readonly byte[] key;

    /// <param name="key">At least 16 octets, secret; keep it over restarts, or a salt that changes gives an unknown user away.</param>
    /// <param name="iterations">Those of real secrets.</param>
    public Decoys(ReadOnlySpan<byte> key, int iterations = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, 16);
        this.key = key.ToArray();
        Iterations = iterations;
    }

    /// <summary>With a key that lives as long as the process.</summary>
    public static Decoys ForProcess { get; } = new(RandomNumberGenerator.GetBytes(32));

    /// <summary>The iteration count of made-up SCRAM secrets.</summary>
    public int Iterations { get; }

    /// <summary>
    /// 16 octets, always the same for a user and an algorithm. A store that keeps passwords themselves may derive SCRAM secrets with it: the salt
    /// then does not even tell when a user comes to exist.
    /// </summary>
    public byte[] Salt(string user, HashAlgorithmName algorithm) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"salt {algorithm.Name} {user}"))[..16];

    /// <summary>Nobody knows a password for it: its stored key is no hash of any key that was ever computed.</summary>
    public ScramSecret ScramSecret(string user, HashAlgorithmName algorithm, int? iterations = null)
    {
        var size = Scram.ScramFunctions.SizeOf(algorithm);
        var keys = HKDF.Expand(HashAlgorithmName.SHA256, HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"keys {algorithm.Name} {user}")), size * 2);
        return new ScramSecret(algorithm, iterations ?? Iterations, Salt(user, algorithm), keys.AsMemory(0, size), keys.AsMemory(size));
    }

    /// <summary>Nobody knows a password for it.</summary>
    public ReadOnlyMemory<byte> DigestSecret(string user, string realm) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"digest {realm.Length} {realm} {user}")).AsMemory(0, Digest.DigestFunctions.Size);
}
