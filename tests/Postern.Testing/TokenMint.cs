using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Base64Url = System.Buffers.Text.Base64Url;

namespace Postern.Testing;

/// <summary>An issuer of tokens: a key of each kind, the file with their public halves (RFC 7517), and what is signed with them.</summary>
public sealed class TokenMint : IDisposable
{
    public const string Issuer = "https://id.matrix.test";
    public const string Audience = "smtp.matrix.test";
    public const string UserClaim = "email";

    private readonly RSA rsa = RSA.Create(2048);
    private readonly ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>A JWK set.</summary>
    public string KeySet()
    {
        var (r, e) = (rsa.ExportParameters(includePrivateParameters: false), ec.ExportParameters(includePrivateParameters: false));
        return JsonSerializer.Serialize(new
        {
            keys = new object[]
            {
                new { kty = "RSA", kid = "RS256", use = "sig", n = Base64Url.EncodeToString(r.Modulus), e = Base64Url.EncodeToString(r.Exponent) },
                new { kty = "EC", kid = "ES256", use = "sig", crv = "P-256", x = Base64Url.EncodeToString(e.Q.X), y = Base64Url.EncodeToString(e.Q.Y) },
            },
        });
    }

    /// <summary>A token that is good for an hour.</summary>
    /// <param name="algorithm"><c>ES256</c> or <c>RS256</c>.</param>
    public string Sign(string user, string algorithm) =>
        Sign(JsonSerializer.SerializeToUtf8Bytes(new { iss = Issuer, aud = Audience, exp = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds(), email = user }), algorithm);

    /// <summary>A token with any claims.</summary>
    public string Sign(byte[] claims, string algorithm)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(new { typ = "at+jwt", alg = algorithm, kid = algorithm });
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        var octets = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm == "RS256" ? rsa.SignData(octets, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : ec.SignData(octets, HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    public void Dispose()
    {
        rsa.Dispose();
        ec.Dispose();
    }
}
