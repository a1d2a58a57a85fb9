using System.Text;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;
using Postern.Sasl;

namespace Postern.Testing;

/// <summary>Key records of DKIM as DNS has them, for MimeKit's verifier.</summary>
/// <param name="records">The text of each by its name.</param>
public sealed class PublishedKeys(IReadOnlyDictionary<string, string> records) : IDkimPublicKeyLocator
{
    public AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default)
    {
        var text = records[$"{selector}._domainkey.{domain}"];
        var key = Decode(text[(text.IndexOf("p=", StringComparison.Ordinal) + 2)..]);
        return key.Length == 32 ? new Ed25519PublicKeyParameters(key) : PublicKeyFactory.CreateKey(key);
    }

    public Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default) =>
        Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));

    public static byte[] Decode(string base64) =>
        StrictBase64.TryDecode(Encoding.ASCII.GetBytes(base64), out var octets) ? octets : throw new FormatException($"no base64: {base64}");
}
