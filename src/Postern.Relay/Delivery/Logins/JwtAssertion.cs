using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Postern.Relay.Delivery.Logins;

/// <summary>Writes an assertion (RFC 7523 §3): a JWT that is signed by RS256 and good for some minutes.</summary>
internal static class JwtAssertion
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <exception cref="CryptographicException">The key cannot be used.</exception>
    public static string Make(AssertionKey key, string? scope, DateTimeOffset now)
    {
        var header = new Dictionary<string, object> { ["alg"] = "RS256", ["typ"] = "JWT" };
        if (key.Id is { } id)
            header["kid"] = id;
        var claims = new Dictionary<string, object>
        {
            ["iss"] = key.Issuer,
            ["sub"] = key.Subject,
            ["aud"] = key.Audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
        };
        if (scope is not null)
            claims["scope"] = scope;
        var signed = $"{Part(header)}.{Part(claims)}";
        using var rsa = RSA.Create();
        Import(rsa, key);
        var signature = rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>What is wrong with a key; null where it can sign.</summary>
    public static string? WhyNot(AssertionKey key)
    {
        try
        {
            using var rsa = RSA.Create();
            Import(rsa, key);
            return rsa.KeySize < 2048 ? "the key has fewer than 2048 bits" : null;
        }
        catch (CryptographicException e)
        {
            return e.Message;
        }
    }

    private static void Import(RSA rsa, AssertionKey key)
    {
        try
        {
            rsa.ImportFromPem(key.Pem.Reveal());
        }
        catch (ArgumentException e)
        {
            throw new CryptographicException("it is no private key for RSA in PEM", e);
        }
    }

    private static string Part(Dictionary<string, object> members) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(members));
}
