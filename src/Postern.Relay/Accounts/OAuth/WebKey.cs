using System.Security.Cryptography;
using System.Text.Json;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>One public key of a key set (RFC 7517): RSA of 2,048 bits and more, or EC on the three curves of RFC 7518. It only ever verifies.</summary>
/// <param name="Id"><c>kid</c>; null when the set gives none. A name to compare, never a path.</param>
/// <param name="Algorithm">The one algorithm that the key is for; null where its set does not say.</param>
internal sealed record WebKey(string? Id, string Type, string? Algorithm, RSAParameters Rsa, ECParameters Ec, string? Curve)
{
    private const int LeastRsaOctets = 256;
    private const int MostRsaOctets = 1024;

    /// <summary>Null for a key that is of no use here: another type, for encryption, too short.</summary>
    public static WebKey? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || Text(json, "use") is not (null or "sig"))
            return null;
        var (id, algorithm) = (Text(json, "kid"), Text(json, "alg"));
        switch (Text(json, "kty"))
        {
            case "RSA" when Octets(json, "n") is { Length: >= LeastRsaOctets and <= MostRsaOctets } modulus && Octets(json, "e") is { Length: > 0 and <= 8 } exponent:
                return new WebKey(id, "RSA", algorithm, new RSAParameters { Modulus = modulus, Exponent = exponent }, Ec: default, Curve: null);
            case "EC" when Text(json, "crv") is { } name && CurveOf(name) is { } curve && Octets(json, "x") is { } x && Octets(json, "y") is { } y:
                return new WebKey(id, "EC", algorithm, Rsa: default, new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } }, name);
            default:
                return null;
        }
    }

    public bool Fits(SignatureAlgorithm algorithm) =>
        Type == algorithm.KeyType && Curve == algorithm.Curve && (Algorithm is null || Algorithm == algorithm.Name);

    public bool Verifies(SignatureAlgorithm algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (algorithm.Padding is { } padding)
            {
                using var rsa = RSA.Create(Rsa);
                return rsa.VerifyData(signed, signature, algorithm.Hash, padding);
            }

            using var ec = ECDsa.Create(Ec);
            return ec.VerifyData(signed, signature, algorithm.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            // A point that is not on its curve, a modulus that is none: such a key verifies nothing.
            return false;
        }
    }

    private static ECCurve? CurveOf(string name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => null,
    };

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.String ? value.GetString() : string.Empty : null;

    private static byte[]? Octets(JsonElement json, string name) => Text(json, name) is { } text && Base64Url.TryDecode(text, out var octets) ? octets : null;
}
