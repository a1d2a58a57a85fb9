using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Machine;
using Postern.Smtp.Transport;

namespace Postern.Hosting.Certificates;

/// <summary>Loads a certificate and its key from PEM files, and says in plain words why it cannot.</summary>
internal static class CertificateFiles
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <param name="hostname">The name that clients will expect in it; null for one that is shown only to who asks for its names.</param>
    /// <param name="section">Of the configuration, where both files are named.</param>
    public static CertificateOutcome Load(
        string certificateFile, string keyFile, string? hostname, DateTimeOffset now, string section = "tls")
    {
        var (certificateKey, privateKey) = ($"{section}.certificate", $"{section}.key");
        if (Read(certificateKey, certificateFile, out var certificateText) is { } noCertificate)
            return noCertificate;
        if (Read(privateKey, keyFile, out var keyText) is { } noKey)
            return noKey;

        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificateText);
        }
        catch (CryptographicException e)
        {
            return Bad(
                certificateKey,
                $"{certificateFile} holds a certificate that cannot be read: {e.Message}",
                "Write the file again from where the certificate came from.");
        }

        if (chain.Count == 0)
            return Bad(
                certificateKey, $"{certificateFile} holds no PEM certificate", "Name a file with a '-----BEGIN CERTIFICATE-----' block.");
        using var bare = chain[0];
        chain.RemoveAt(0);
        return WhyNoKind(certificateKey, bare, certificateFile) is { } strange ? strange
            : WhyNoKey(privateKey, keyText, keyFile) is { } unusable ? unusable
            : Join(bare, keyText) is { } joined ? new CertificateOutcome.Loaded(joined, chain, Warnings(joined, hostname, now, keyFile))
            {
                Key = certificateKey,
            }
            : Bad(
                privateKey,
                $"the key in {keyFile} does not belong to the certificate in {certificateFile}",
                "Name the pair that was issued together; the server's own certificate comes first in its file.");
    }

    private static CertificateOutcome.Unusable? WhyNoKey(string key, string keyText, string keyFile)
    {
        if (!keyText.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            return Bad(key, $"{keyFile} holds no PEM private key", "Name a file with a '-----BEGIN PRIVATE KEY-----' block.");
        return keyText.Contains("ENCRYPTED", StringComparison.Ordinal)
            ? Bad(
                key, $"{keyFile} is encrypted with a passphrase", $"Write it without one: openssl pkey -in {keyFile} -out {keyFile}.plain")
            : null;
    }

    /// <summary>The runtime shows RSA and ECDSA certificates, and no others.</summary>
    private static CertificateOutcome.Unusable? WhyNoKind(
        string key, X509Certificate2 bare, string certificateFile) => bare.PublicKey.Oid.Value switch
    {
        "1.2.840.113549.1.1.1" or "1.2.840.10045.2.1" => null,
        var kind =>
            Bad(
                key,
                $"the certificate in {certificateFile} has a key of a kind that cannot be used here: {KindOf(kind)}",
                "Have it issued for an ECDSA key (P-256) or an RSA key of 2048 bits or more."),
    };

    private static string KindOf(string? kind) => kind switch
    {
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.113549.1.1.10" => "RSA for PSS alone",
        null => "none",
        _ => kind.StartsWith("2.16.840.1.101.3.4.3.", StringComparison.Ordinal) ? $"a post-quantum one ({kind})" : kind,
    };

    /// <summary>Null when the key is another's, or of another kind than the certificate's.</summary>
    private static X509Certificate2? Join(X509Certificate2 bare, string keyText)
    {
        try
        {
            using var ec = bare.GetECDsaPublicKey();
            using AsymmetricAlgorithm key = ec is null ? RSA.Create() : ECDsa.Create();
            key.ImportFromPem(keyText);
            return key is ECDsa ecdsa ? bare.CopyWithPrivateKey(ecdsa) : bare.CopyWithPrivateKey((RSA)key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return null;
        }
    }

    private static ImmutableArray<string> Warnings(X509Certificate2 certificate, string? hostname, DateTimeOffset now, string keyFile)
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        var (begin, end) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        if (now > end)
            warnings.Add($"the certificate expired on {Day(end)}: clients that check will refuse it");
        else if (now > end - Soon)
            warnings.Add($"the certificate expires on {Day(end)}");
        if (now < begin)
            warnings.Add($"the certificate is not valid before {Day(begin)}");
        if (hostname is not null && !certificate.MatchesHostname(hostname))
            warnings.Add(
                $"the certificate is not for '{hostname}': clients that check will refuse it, unless they know the server by another name");
        if (hostname is null && new TlsCertificate(certificate).Names.IsEmpty)
            warnings.Add("the certificate has no DNS name in its subjectAltName: nobody is ever shown it");
        if (OpenFile.Warning("the key", keyFile) is { } open)
            warnings.Add(open);
        return warnings.ToImmutable();
    }

    private static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static CertificateOutcome.Unusable? Read(string key, string file, out string text)
    {
        text = string.Empty;
        try
        {
            text = File.ReadAllText(file);
            return null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Bad(key, $"{file} does not exist", "Name the file that holds it, or leave tls out for a self-signed certificate.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Bad(
                key,
                $"{file} cannot be read by {UserIdentity.Current}: {e.Message}",
                "Make it readable for the user that postern runs as.");
        }
    }

    private static CertificateOutcome.Unusable Bad(string key, string what, string todo) => new(key, new Problem(what, todo));
}
