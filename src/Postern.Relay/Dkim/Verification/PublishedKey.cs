using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace Postern.Relay.Dkim.Verification;

/// <summary>A public key as a record in DNS has it (RFC 6376 §3.6.1, RFC 8463 §4).</summary>
internal sealed class PublishedKey
{
    private readonly byte[] octets;
    private readonly DkimAlgorithm algorithm;

    private PublishedKey(DkimAlgorithm algorithm, byte[] octets, bool isForSubdomains) =>
        (this.algorithm, this.octets, IsForSubdomains) = (algorithm, octets, isForSubdomains);

    /// <summary>False: it has <c>t=s</c>, and signs for exactly its domain.</summary>
    public bool IsForSubdomains { get; }

    /// <summary>Null with the reason where a record is no key that counts for mail.</summary>
    public static PublishedKey? Read(string text, out string? problem)
    {
        problem = null;
        if (DkimRecord.TagsOf(text) is not { } tags || tags.GetValueOrDefault("v", "DKIM1") != "DKIM1")
            problem = "no key record";
        else if (tags.GetValueOrDefault("p") is null or "")
            problem = "the key is revoked";
        else if (!Lists(tags.GetValueOrDefault("h", "sha256"), "sha256") || !(Lists(tags.GetValueOrDefault("s", "*"), "*")
            || Lists(tags["s"], "email")))
            problem = "the key is not for this";
        else if (DkimAlgorithms.Find(tags.GetValueOrDefault("k", "rsa").ToLowerInvariant()) is not { } kind
            || TagList.Octets(tags["p"]) is not { } key
            || WhyNot(kind, key) is not null)
            problem = "the key cannot be used";
        else
            return new PublishedKey(kind, key, isForSubdomains: !Lists(tags.GetValueOrDefault("t", string.Empty), "s"));
        return null;
    }

    /// <summary>Whether the signature is this key's, over what has this SHA-256.</summary>
    public bool Verifies(DkimAlgorithm by, byte[] sha256, byte[] signature)
    {
        if (by != algorithm)
            return false;
        if (algorithm == DkimAlgorithm.Ed25519)
            return signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature, 0, octets, 0, sha256, 0, sha256.Length);
        using var rsa = Open(octets);
        return rsa.VerifyHash(sha256, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static string? WhyNot(DkimAlgorithm kind, byte[] key)
    {
        if (kind == DkimAlgorithm.Ed25519)
            return key.Length == Ed25519.PublicKeySize ? null : "not of 32 octets";
        try
        {
            using var rsa = Open(key);
            return rsa.KeySize is >= DkimKey.LeastRsaBits and <= DkimKey.MostRsaBits ? null : "of too few bits, or too many";
        }
        catch (CryptographicException e)
        {
            return e.Message;
        }
    }

    /// <summary>SubjectPublicKeyInfo, or the bare key that RFC 6376 §3.6.1 names as well.</summary>
    private static RSA Open(byte[] key)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(key, out _);
            return rsa;
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
        }

        rsa = RSA.Create();
        try
        {
            rsa.ImportRSAPublicKey(key, out _);
            return rsa;
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }

    private static bool Lists(string list, string word) => list.Split(':').Contains(word, StringComparer.OrdinalIgnoreCase);
}

/// <summary>What looking for a key came to.</summary>
internal abstract record KeyAnswer
{
    private KeyAnswer()
    {
    }

    public sealed record Found(PublishedKey Key) : KeyAnswer;

    /// <summary>There is none that can be used, and there will be none in a moment.</summary>
    public sealed record None(string Why) : KeyAnswer;

    /// <summary>DNS does not answer: nothing is known.</summary>
    public sealed record Unavailable(string Why) : KeyAnswer;
}
