using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Hosting.Certificates;

/// <summary>
/// The certificates of a server that was given none: ECDSA P-256, and RSA for clients that know nothing else. They are made at first start,
/// kept in the data directory and made again when they have expired or their files do not fit together.
/// </summary>
internal static class OwnCertificate
{
    private const int RsaBits = 2048;
    private const int ValidYears = 10;

    /// <param name="made">True when it was made now, so that it can be said.</param>
    /// <param name="isRsa">The second one.</param>
    public static CertificateOutcome LoadOrCreate(string data, string hostname, DateTimeOffset now, bool isRsa, out bool made)
    {
        var (certificateFile, keyFile) = (Path.Combine(
            data, isRsa ? "certificate-rsa.pem" : "certificate.pem"), Path.Combine(data, isRsa ? "key-rsa.pem" : "key.pem"));
        made = !File.Exists(certificateFile) || !File.Exists(keyFile);
        if (!made)
        {
            var kept = CertificateFiles.Load(certificateFile, keyFile, hostname, now);
            if (kept is CertificateOutcome.Loaded { Certificate: var certificate } && now < certificate.NotAfter)
                return kept;
        }

        made = true;
        Write(certificateFile, keyFile, hostname, now, isRsa);
        return CertificateFiles.Load(certificateFile, keyFile, hostname, now);
    }

    /// <summary>One like it, which is kept nowhere.</summary>
    public static X509Certificate2 Make(string hostname, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Make(
            new CertificateRequest($"CN={hostname}", key, HashAlgorithmName.SHA256), hostname, now, X509KeyUsageFlags.DigitalSignature);
    }

    private static void Write(string certificateFile, string keyFile, string hostname, DateTimeOffset now, bool isRsa)
    {
        using AsymmetricAlgorithm key = isRsa ? RSA.Create(RsaBits) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // A key exchange by RSA enciphers with the certificate's own key.
        using var certificate = key is RSA rsa
            ? Make(
                new CertificateRequest($"CN={hostname}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                hostname,
                now,
                X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment)
            : Make(
                new CertificateRequest($"CN={hostname}", (ECDsa)key, HashAlgorithmName.SHA256),
                hostname,
                now,
                X509KeyUsageFlags.DigitalSignature);
        Replace(keyFile, key.ExportPkcs8PrivateKeyPem());
        Replace(certificateFile, certificate.ExportCertificatePem());
    }

    private static X509Certificate2 Make(CertificateRequest request, string hostname, DateTimeOffset now, X509KeyUsageFlags usage)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(hostname);
        if (!string.Equals(hostname, "localhost", StringComparison.Ordinal))
            names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        return request.CreateSelfSigned(now.AddDays(-1), now.AddYears(ValidYears));
    }

    /// <summary>Readable by its owner from the first octet on, and never half written under its own name.</summary>
    private static void Replace(string file, string text)
    {
        var fresh = $"{file}.new";
        File.Delete(fresh);
        using (var stream = new FileStream(
            fresh,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            writer.Write(text);
            writer.Flush();
            stream.Flush(flushToDisk: true);
        }

        File.Move(fresh, file, overwrite: true);
    }
}
