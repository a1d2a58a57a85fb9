using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Hashes;

/// <summary>
/// <c>$apr1$salt$hash</c>, what htpasswd makes: the MD5 crypt of FreeBSD with another word in it. libcrypt does not know it, so it is
/// computed here. Weak: a thousand rounds of MD5.
/// </summary>
internal sealed class AprHash : PasswordHash
{
    public static readonly HashFamily Family = new(TryParse, static stored => stored.StartsWith(Prefix, StringComparison.Ordinal));

    private const string Prefix = "$apr1$";
    private const string Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int Rounds = 1000;
    private const int MaxSalt = 8;
    private const int HashLength = 22;

    /// <summary>As long as the work of a round is short; the longest passwords of other forms are no longer.</summary>
    private const int MaxOctets = 512;

    private readonly byte[] salt;
    private readonly byte[] hash;

    private AprHash(string stored, string salt, string hash)
        : base(stored)
    {
        this.salt = Encoding.ASCII.GetBytes(salt);
        this.hash = Encoding.ASCII.GetBytes(hash);
    }

    public override string Scheme => Prefix;

    public override string Description => "an MD5 crypt hash of Apache";

    public override string Weakness => "a thousand rounds of MD5";

    public override HashCost Cost => new(Prefix, 1);

    public override HashAnswer Spend(HashCost cost, ReadOnlySpan<byte> password)
    {
        for (var i = 0; i < cost.Units; i++)
            Verify(password);
        return HashAnswer.NoMatch.Instance;
    }

    public override HashAnswer Verify(ReadOnlySpan<byte> password)
    {
        var cut = password[..Math.Min(password.Length, MaxOctets)];
        return HashAnswer.Of(
            CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Compute(cut, salt)), hash) && cut.Length == password.Length);
    }

    private static AprHash? TryParse(string stored) =>
        stored.StartsWith(Prefix, StringComparison.Ordinal)
            && stored[Prefix.Length..].Split('$') is [{ Length: > 0 and <= MaxSalt } salt, { Length: HashLength } hash]
        && salt.All(static c => c is > ' ' and < '\u007f' and not ':') && hash.All(static c => Digits.Contains(c, StringComparison.Ordinal))
            ? new AprHash(stored, salt, hash)
            : null;

    private static string Compute(ReadOnlySpan<byte> password, byte[] salt)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        md5.AppendData(password);
        md5.AppendData(salt);
        md5.AppendData(password);
        Span<byte> sum = stackalloc byte[16];
        md5.GetHashAndReset(sum);

        md5.AppendData(password);
        md5.AppendData(Encoding.ASCII.GetBytes(Prefix));
        md5.AppendData(salt);
        for (var left = password.Length; left > 0; left -= sum.Length)
            md5.AppendData(sum[..Math.Min(left, sum.Length)]);
        for (var bits = password.Length; bits > 0; bits >>= 1)
            md5.AppendData((bits & 1) != 0 ? [0] : password[..1]);
        md5.GetHashAndReset(sum);

        for (var round = 0; round < Rounds; round++)
        {
            md5.AppendData(round % 2 != 0 ? password : sum);
            if (round % 3 != 0)
                md5.AppendData(salt);
            if (round % 7 != 0)
                md5.AppendData(password);
            md5.AppendData(round % 2 != 0 ? sum : password);
            md5.GetHashAndReset(sum);
        }

        var text = new StringBuilder(HashLength);
        for (var i = 0; i < 5; i++)
            Append(text, (sum[i] << 16) | (sum[i + 6] << 8) | sum[i == 4 ? 5 : i + 12], characters: 4);
        Append(text, sum[11], characters: 2);
        return text.ToString();
    }

    private static void Append(StringBuilder text, int value, int characters)
    {
        for (; characters > 0; characters--, value >>= 6)
            text.Append(Digits[value & 0x3f]);
    }
}
