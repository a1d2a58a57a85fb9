using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// One signature algorithm of RFC 7518 §3. The list is closed: "none" is not on it, and neither is HMAC, for whose key a public key could be
/// passed off.
/// </summary>
/// <param name="KeyType"><c>RSA</c> or <c>EC</c>.</param>
/// <param name="Curve">The one curve of an ECDSA algorithm; null for RSA.</param>
internal sealed record SignatureAlgorithm(string Name, string KeyType, HashAlgorithmName Hash, RSASignaturePadding? Padding, string? Curve)
{
    public static FrozenDictionary<string, SignatureAlgorithm> All { get; } = new SignatureAlgorithm[]
    {
        new("RS256", "RSA", HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, Curve: null),
        new("RS384", "RSA", HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1, Curve: null),
        new("RS512", "RSA", HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1, Curve: null),
        new("PS256", "RSA", HashAlgorithmName.SHA256, RSASignaturePadding.Pss, Curve: null),
        new("PS384", "RSA", HashAlgorithmName.SHA384, RSASignaturePadding.Pss, Curve: null),
        new("PS512", "RSA", HashAlgorithmName.SHA512, RSASignaturePadding.Pss, Curve: null),
        new("ES256", "EC", HashAlgorithmName.SHA256, Padding: null, "P-256"),
        new("ES384", "EC", HashAlgorithmName.SHA384, Padding: null, "P-384"),
        new("ES512", "EC", HashAlgorithmName.SHA512, Padding: null, "P-521"),
    }.ToFrozenDictionary(static a => a.Name, StringComparer.Ordinal);
}
