using System.Globalization;
using System.Security.Cryptography;
using Konscious.Security.Cryptography;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// Argon2 (RFC 9106) as PHC strings write it, <c>$argon2id$v=19$m=65536,t=3,p=4$salt$hash</c>, with <c>{ARGON2ID}</c> or <c>{ARGON2I}</c>
/// before it or nothing. Computed by the system's library where it is there, else by managed code, which takes about four times as long and
/// computes on threads of the runtime's pool.
/// </summary>
internal sealed class Argon2Hash : PasswordHash
{
    public static readonly HashFamily Family = new(
        TryParse, static stored => Text(stored)?.StartsWith("$argon2", StringComparison.Ordinal) is true, Limits);

    /// <summary>A hashing thread computes one at a time, and holds this much.</summary>
    private const int MaxKibibytes = 256 << 10;

    /// <summary>All passes over the memory together: some ten seconds.</summary>
    private const long MaxKibibytesInAll = 4L << 20;

    private const int MaxLanes = 64;
    private const string Limits = "256 MiB of memory, 4 GiB in all passes or 64 lanes (argon2)";

    private readonly byte[] salt;
    private readonly byte[] hash;
    private readonly string kind;
    private readonly (int Memory, int Passes, int Lanes) cost;

    private Argon2Hash(string stored, string kind, (int Memory, int Passes, int Lanes) cost, byte[] salt, byte[] hash)
        : base(stored)
    {
        this.kind = kind;
        this.cost = cost;
        this.salt = salt;
        this.hash = hash;
    }

    public override string Scheme => kind;

    public override string Description => $"an {kind} hash";

    public override HashCost Cost =>
        new(string.Create(CultureInfo.InvariantCulture, $"{kind} m={cost.Memory},p={cost.Lanes}"), cost.Passes);

    /// <summary>Of one setting of memory; so the passes that are missing are computed as one hash.</summary>
    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var left = cost.Units; left > 0; left -= this.cost.Passes)
            _ = Compute(password, (int)Math.Min(left, this.cost.Passes));
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password) =>
        HashAnswer.Of(CryptographicOperations.FixedTimeEquals(Compute(password, cost.Passes), hash) && !password.IsEmpty);

    private static Argon2Hash? TryParse(string stored)
    {
        if (Text(stored)?.Split('$') is not ["", "argon2id" or "argon2i" or "argon2d", "v=19", var parameters, var salt, var hash] fields)
            return null;
        if (parameters.Split(',') is not [var m, var t, var p]
            || Number(m, "m=") is not { } memory
            || Number(t, "t=") is not { } passes
            || Number(p, "p=") is not { } lanes)
            return null;
        var isBounded = lanes <= MaxLanes && memory >= 8 * lanes && memory <= MaxKibibytes && (long)memory * passes <= MaxKibibytesInAll;
        return isBounded
            && SchemeWord.Base64(salt) is { Length: >= 8 and <= 64 } saltOctets
            && SchemeWord.Base64(hash) is { Length: >= 12 and <= 128 } hashOctets
            ? new Argon2Hash(string.Join('$', fields), fields[1], (memory, passes, lanes), saltOctets, hashOctets)
            : null;
    }

    private static string? Text(string stored) => SchemeWord.TextBehind(stored, "ARGON2I", "ARGON2ID", "ARGON2", "CRYPT");

    private static int? Number(string text, string name) =>
        text.StartsWith(name, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 ? number : null;

    private byte[] Compute(ReadOnlySpan<byte> password, int passes) =>
        LibArgon2.Hash(kind, passes, cost.Memory, cost.Lanes, password, salt, hash.Length) ?? Managed(password, passes);

    /// <summary>Without the system's library.</summary>
    internal byte[] Managed(ReadOnlySpan<byte> password, int passes)
    {
        var octets = password.IsEmpty ? [0] : password.ToArray(); // an empty one is nobody's, and this library takes none
        using Argon2 argon = kind switch
        {
            "argon2id" => new Argon2id(octets),
            "argon2i" => new Argon2i(octets),
            _ => new Argon2d(octets),
        };
        argon.Salt = salt;
        (argon.MemorySize, argon.Iterations, argon.DegreeOfParallelism) = (cost.Memory, passes, cost.Lanes);
        var computed = argon.GetBytes(hash.Length);
        CryptographicOperations.ZeroMemory(octets);
        return computed;
    }
}
