using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Postern.Web.Access;

/// <summary>
/// A key as it is written: <c>pst_ID_SECRET_CRC</c>. The beginning is for scanners that look for leaked keys, the end tells a key that was
/// cut off or mistyped from a wrong one before anybody is asked.
/// </summary>
/// <param name="Id">Public, and names it.</param>
/// <param name="Hash">SHA-256 of the whole text, which is what is kept.</param>
internal readonly record struct KeyText(string Id, byte[] Hash)
{
    private const string Prefix = "pst";

    /// <summary>32 letters and digits, without those that are read as others: 5 bits each.</summary>
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private static readonly SearchValues<char> Letters = SearchValues.Create(Alphabet);

    private const int IdLength = 8;

    /// <summary>260 bits.</summary>
    private const int SecretLength = 52;

    private const int Length = 3 + 1 + IdLength + 1 + SecretLength + 1 + 8;

    public static (KeyText Key, Secret Text) Generate()
    {
        var id = RandomNumberGenerator.GetString(Alphabet, IdLength);
        var body = $"{Prefix}_{id}_{RandomNumberGenerator.GetString(Alphabet, SecretLength)}";
        var text = $"{body}_{CrcOf(body)}";
        return (new KeyText(id, HashOf(text)), new Secret(text));
    }

    /// <summary>False for what was never a key of any server.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out KeyText? key)
    {
        key = null;
        if (text.Length != Length || text.Split('_') is not [Prefix, { Length: IdLength } id, { Length: SecretLength } secret, var crc])
            return false;
        if (id.AsSpan().ContainsAnyExcept(Letters) || secret.AsSpan().ContainsAnyExcept(Letters))
            return false;
        if (!string.Equals(crc, CrcOf(text[..^9]), StringComparison.Ordinal))
            return false;
        key = new KeyText(id, HashOf(text));
        return true;
    }

    /// <summary>What may be shown of a text that should name a key: of one that begins like a key, the id alone.</summary>
    public static string NameIn(string text) =>
        text.Split('_') is [Prefix, var id, ..] ? id[..Math.Min(IdLength, id.Length)] : text;

    /// <summary>In a time that does not depend on where the two differ.</summary>
    public bool Matches(byte[] kept) => CryptographicOperations.FixedTimeEquals(Hash, kept);

    public override string ToString() => $"{Prefix}_{Id}_***";

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.ASCII.GetBytes(text));

    /// <summary>CRC-32C, eight hexadecimal digits.</summary>
    private static string CrcOf(string body)
    {
        var sum = ~0u;
        foreach (var letter in body)
            sum = BitOperations.Crc32C(sum, (byte)letter);
        return (~sum).ToString("x8", CultureInfo.InvariantCulture);
    }
}
