using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// scrypt (RFC 7914) as PHC strings and passlib write it: <c>$scrypt$ln=16,r=8,p=1$salt$hash</c>. <c>$7$</c> is the form of crypt(3).
/// </summary>
internal sealed class ScryptHash : PasswordHash
{
    public static readonly HashFamily Family = new(TryParse, static stored => stored.StartsWith(Prefix, StringComparison.Ordinal), Limits);

    private const string Prefix = "$scrypt$";
    private const long MaxOctets = 256L << 20;
    private const int MaxParallel = 16;
    private const string Limits = "256 MiB of memory or 16 times (scrypt)";

    private readonly (int LogN, int R, int P) cost;
    private readonly byte[] salt;
    private readonly byte[] hash;

    private ScryptHash(string stored, (int LogN, int R, int P) cost, byte[] salt, byte[] hash)
        : base(stored)
    {
        this.cost = cost;
        this.salt = salt;
        this.hash = hash;
    }

    public override string Scheme => "scrypt";

    public override string Description => "an scrypt hash";

    public override HashCost Cost => new(string.Create(CultureInfo.InvariantCulture, $"{Prefix}ln={cost.LogN},r={cost.R}"), cost.P);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var left = cost.Units; left > 0; left -= this.cost.P)
            _ = Compute(password, (int)Math.Min(left, this.cost.P));
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password) =>
        HashAnswer.Of(CryptographicOperations.FixedTimeEquals(Compute(password, cost.P), hash));

    private static ScryptHash? TryParse(string stored)
    {
        if (!stored.StartsWith(Prefix, StringComparison.Ordinal)
            || stored.Split('$') is not ["", "scrypt", var parameters, var salt, var hash])
            return null;
        if (parameters.Split(',') is not [var n, var r, var p]
            || Number(n, "ln=") is not { } logN
            || Number(r, "r=") is not { } block
            || Number(p, "p=") is not { } parallel)
            return null;
        var isBounded = logN <= 24 && block <= 64 && parallel <= MaxParallel && (128L * block) << logN <= MaxOctets;
        return isBounded
            && SchemeWord.Base64(salt) is { Length: > 0 and <= 64 } saltOctets
            && SchemeWord.Base64(hash) is { Length: >= 16 and <= 64 } hashOctets
            ? new ScryptHash(stored, (logN, block, parallel), saltOctets, hashOctets)
            : null;
    }

    private static int? Number(string text, string name) =>
        text.StartsWith(name, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 ? number : null;

    /// <summary>RFC 7914 §6.</summary>
    private byte[] Compute(ReadOnlySpan<byte> password, int parallel)
    {
        var words = 32 * cost.R;
        var blocks = Rfc2898DeriveBytes.Pbkdf2(password, salt, 1, HashAlgorithmName.SHA256, 128 * cost.R * parallel);
        var mixed = new uint[words];
        var table = new uint[(long)words << cost.LogN];
        for (var i = 0; i < parallel; i++)
        {
            var block = blocks.AsSpan(i * words * 4, words * 4);
            for (var w = 0; w < words; w++)
                mixed[w] = BinaryPrimitives.ReadUInt32LittleEndian(block[(w * 4)..]);
            Mix(mixed, table, 1 << cost.LogN);
            for (var w = 0; w < words; w++)
                BinaryPrimitives.WriteUInt32LittleEndian(block[(w * 4)..], mixed[w]);
        }

        return Rfc2898DeriveBytes.Pbkdf2(password, blocks, 1, HashAlgorithmName.SHA256, hash.Length);
    }

    /// <summary>RFC 7914 §5.</summary>
    private static void Mix(uint[] x, uint[] table, int n)
    {
        var next = new uint[x.Length];
        for (var i = 0; i < n; i++)
        {
            x.CopyTo(table.AsSpan(i * x.Length));
            MixBlock(x, next);
        }

        for (var i = 0; i < n; i++)
        {
            var row = table.AsSpan((int)(x[x.Length - 16] & (uint)(n - 1)) * x.Length, x.Length);
            for (var w = 0; w < x.Length; w++)
                x[w] ^= row[w];
            MixBlock(x, next);
        }
    }

    /// <summary>RFC 7914 §4.</summary>
    private static void MixBlock(uint[] x, uint[] next)
    {
        var chunks = x.Length / 16;
        Span<uint> last = stackalloc uint[16];
        x.AsSpan((chunks - 1) * 16).CopyTo(last);
        for (var i = 0; i < chunks; i++)
        {
            var chunk = x.AsSpan(i * 16, 16);
            for (var w = 0; w < 16; w++)
                last[w] ^= chunk[w];
            Salsa(last);
            last.CopyTo(next.AsSpan(((i / 2) + (i % 2 == 0 ? 0 : chunks / 2)) * 16));
        }

        next.CopyTo(x, 0);
    }

    /// <summary>Salsa20/8 (RFC 7914 §3).</summary>
    private static void Salsa(Span<uint> block)
    {
        Span<uint> x = stackalloc uint[16];
        block.CopyTo(x);
        for (var round = 0; round < 8; round += 2)
        {
            Quarter(x, 0, 4, 8, 12);
            Quarter(x, 5, 9, 13, 1);
            Quarter(x, 10, 14, 2, 6);
            Quarter(x, 15, 3, 7, 11);
            Quarter(x, 0, 1, 2, 3);
            Quarter(x, 5, 6, 7, 4);
            Quarter(x, 10, 11, 8, 9);
            Quarter(x, 15, 12, 13, 14);
        }

        for (var i = 0; i < 16; i++)
            block[i] += x[i];
    }

    private static void Quarter(Span<uint> x, int a, int b, int c, int d)
    {
        x[b] ^= BitOperations.RotateLeft(x[a] + x[d], 7);
        x[c] ^= BitOperations.RotateLeft(x[b] + x[a], 9);
        x[d] ^= BitOperations.RotateLeft(x[c] + x[b], 13);
        x[a] ^= BitOperations.RotateLeft(x[d] + x[c], 18);
    }
}
