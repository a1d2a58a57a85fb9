using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Org.BouncyCastle.Security;

namespace Postern.Relay.Dkim;

/// <summary>A private key, ready to sign. May be used from any thread; never printed.</summary>
public abstract class DkimKey
{
    /// <summary>What RFC 8301 §3.2 has signers use at least, and verifiers take at most.</summary>
    public const int LeastRsaBits = 1024;

    /// <inheritdoc cref="LeastRsaBits"/>
    public const int MostRsaBits = 4096;

    /// <summary>Of keys that are made here (RFC 8301 §3.2).</summary>
    public const int UsualRsaBits = 2048;

    private DkimKey(DkimAlgorithm algorithm, int bits, ImmutableArray<byte> publicKey) =>
        (Algorithm, Bits, PublicKey) = (algorithm, bits, publicKey);

    public DkimAlgorithm Algorithm { get; }

    /// <summary>The length of an RSA modulus; 256 for Ed25519.</summary>
    public int Bits { get; }

    /// <summary>As the tag <c>p=</c> has it: SubjectPublicKeyInfo for RSA, the 32 octets themselves for Ed25519 (RFC 8463 §4.2).</summary>
    public ImmutableArray<byte> PublicKey { get; }

    /// <summary>Signs what has this SHA-256; the same every time.</summary>
    /// <exception cref="CryptographicException">The system's library failed.</exception>
    public abstract byte[] Sign(ReadOnlySpan<byte> sha256);

    /// <summary>The private key as PKCS #8 (RFC 5958), for the directory alone.</summary>
    public abstract byte[] ToPkcs8();

    /// <summary>A new key; RSA has <see cref="UsualRsaBits"/>.</summary>
    public static DkimKey Generate(DkimAlgorithm algorithm)
    {
        if (algorithm == DkimAlgorithm.Ed25519)
            return new OfEd25519(new Ed25519PrivateKeyParameters(RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize)));
        using var rsa = RSA.Create(UsualRsaBits);
        return new OfRsa(rsa.ExportPkcs8PrivateKey());
    }

    /// <exception cref="CryptographicException">
    /// It is no key of these algorithms, or one that verifiers would not take; the message says which.
    /// </exception>
    public static DkimKey FromPkcs8(ReadOnlySpan<byte> pkcs8)
    {
        try
        {
            return PrivateKeyFactory.CreateKey(pkcs8.ToArray()) switch
            {
                Ed25519PrivateKeyParameters key => new OfEd25519(key),
                RsaPrivateCrtKeyParameters => new OfRsa(pkcs8.ToArray()),
                _ => throw new CryptographicException("the key is neither of RSA nor of Ed25519"),
            };
        }
        catch (Exception e) when (e is not (CryptographicException or OutOfMemoryException))
        {
            throw new CryptographicException("it holds no private key that can be read", e);
        }
    }

    /// <summary>Reads a file's text: PEM of PKCS #8 or of an RSA key (PKCS #1), or the 32 octets of an Ed25519 key as base64.</summary>
    /// <exception cref="CryptographicException">As with <see cref="FromPkcs8"/>.</exception>
    public static DkimKey FromText(string text)
    {
        foreach (var found in PemsOf(text))
        {
            switch (found.Label)
            {
                case "PRIVATE KEY":
                    return FromPkcs8(found.Octets);
                case "RSA PRIVATE KEY":
                    using (var rsa = RSA.Create())
                    {
                        rsa.ImportRSAPrivateKey(found.Octets, out _);
                        return new OfRsa(rsa.ExportPkcs8PrivateKey());
                    }

                case "ENCRYPTED PRIVATE KEY":
                    throw new CryptographicException("the key is encrypted; write it without its password first: openssl pkey -in FILE");
            }
        }

        var seed = new byte[Ed25519.SecretKeySize + 1];
        return Convert.TryFromBase64String(text.Trim(), seed, out var length) && length == Ed25519.SecretKeySize
            ? new OfEd25519(new Ed25519PrivateKeyParameters(seed, 0))
            : throw new CryptographicException("it holds no private key in PEM");
    }

    private static List<(string Label, byte[] Octets)> PemsOf(string text)
    {
        var found = new List<(string, byte[])>();
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            var octets = new byte[fields.DecodedDataLength];
            if (Convert.TryFromBase64Chars(rest[fields.Base64Data], octets, out _))
                found.Add((rest[fields.Label].ToString(), octets));
        }

        return found;
    }

    /// <summary>
    /// The runtime's object signs for one thread at a time, so each that is free waits for the next message; there are as many as signed at
    /// the same moment.
    /// </summary>
    private sealed class OfRsa : DkimKey
    {
        private readonly byte[] pkcs8;
        private readonly ConcurrentBag<RSA> free;

        public OfRsa(byte[] pkcs8)
            : this(pkcs8, Open(pkcs8))
        {
        }

        private OfRsa(byte[] pkcs8, RSA first)
            : base(DkimAlgorithm.Rsa, first.KeySize, [.. first.ExportSubjectPublicKeyInfo()]) => (this.pkcs8, free) = (pkcs8, [first]);

        public override byte[] Sign(ReadOnlySpan<byte> sha256)
        {
            var rsa = free.TryTake(out var idle) ? idle : Open(pkcs8);
            var signature = rsa.SignHash(sha256, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            free.Add(rsa);
            return signature;
        }

        public override byte[] ToPkcs8() => [.. pkcs8];

        private static RSA Open(byte[] pkcs8)
        {
            var rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(pkcs8, out _);
            if (rsa.KeySize is >= LeastRsaBits and <= MostRsaBits)
                return rsa;
            rsa.Dispose();
            throw new CryptographicException(
                $"an RSA key of {rsa.KeySize} bits: verifiers take those from {LeastRsaBits} to {MostRsaBits}");
        }
    }

    private sealed class OfEd25519(Ed25519PrivateKeyParameters key)
        : DkimKey(DkimAlgorithm.Ed25519, 256, [.. key.GeneratePublicKey().GetEncoded()])
    {
        /// <summary>What stands before the 32 octets (RFC 8410 §7).</summary>
        private static ReadOnlySpan<byte> Prefix => [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20];

        public override byte[] Sign(ReadOnlySpan<byte> sha256)
        {
            var signature = new byte[Ed25519.SignatureSize];
            key.Sign(Ed25519.Algorithm.Ed25519, null, sha256.ToArray(), 0, sha256.Length, signature, 0);
            return signature;
        }

        public override byte[] ToPkcs8() => [.. Prefix, .. key.GetEncoded()];
    }
}
