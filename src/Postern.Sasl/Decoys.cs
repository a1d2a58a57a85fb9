using System.Buffers.Binary;
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
    private readonly int[] counts;

    /// <param name="key">At least 16 octets, secret; keep it over restarts, or a salt that changes gives an unknown user away.</param>
    /// <param name="iterations">Those of real secrets.</param>
    public Decoys(ReadOnlySpan<byte> key, int iterations = 4096)
        : this(key, [iterations])
    {
    }

    /// <param name="key">As above.</param>
    /// <param name="iterations">
    /// Those that real secrets have, at least one; each name is given one of them for good. Give what a program can make, not what its
    /// users happen to have: a list that changes with them gives unknown users away.
    /// </param>
    public Decoys(ReadOnlySpan<byte> key, ReadOnlySpan<int> iterations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, 16);
        ArgumentOutOfRangeException.ThrowIfZero(iterations.Length);
        this.key = key.ToArray();
        counts = iterations.ToArray();
    }

    /// <summary>With a key that lives as long as the process.</summary>
    public static Decoys ForProcess { get; } = new(RandomNumberGenerator.GetBytes(32));

    /// <summary>The first of the iteration counts: that of secrets which a store derives with <see cref="Salt"/>.</summary>
    public int Iterations => counts[0];

    /// <summary>The iteration count of the made-up SCRAM secret of a name, always the same for it.</summary>
    public int IterationsOf(string user) => counts.Length == 1
        ? counts[0]
        : counts[
            BinaryPrimitives.ReadUInt32LittleEndian(
                HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"count {user}"))) % (uint)counts.Length];

    /// <summary>
    /// 16 octets, always the same for a user and an algorithm. A store that keeps passwords themselves may derive SCRAM secrets with it:
    /// the salt then does not even tell when a user comes to exist.
    /// </summary>
    public byte[] Salt(string user, HashAlgorithmName algorithm) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"salt {algorithm.Name} {user}"))[..16];

    /// <summary>Nobody knows a password for it: its stored key is no hash of any key that was ever computed.</summary>
    public ScramSecret ScramSecret(string user, HashAlgorithmName algorithm, int? iterations = null)
    {
        var size = Scram.ScramFunctions.SizeOf(algorithm);
        var keys = HKDF.Expand(
            HashAlgorithmName.SHA256, HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"keys {algorithm.Name} {user}")), size * 2);
        return new ScramSecret(
            algorithm, iterations ?? IterationsOf(user), Salt(user, algorithm), keys.AsMemory(0, size), keys.AsMemory(size));
    }

    /// <summary>Nobody knows a password for it.</summary>
    public ReadOnlyMemory<byte> DigestSecret(string user, string realm) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"digest {realm.Length} {realm} {user}")).AsMemory(0, Digest.DigestFunctions.Size);
}
