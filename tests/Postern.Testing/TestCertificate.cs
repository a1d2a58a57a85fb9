using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Testing;

/// <summary>Self-signed ECDSA P-256 certificates.</summary>
public static class TestCertificate
{
    private static readonly Lazy<X509Certificate2> ForLocalhost = new(static () => Create("localhost"));

    /// <summary>For localhost, made once for each test process.</summary>
    public static X509Certificate2 Instance => ForLocalhost.Value;

    public static X509Certificate2 Create(params ReadOnlySpan<string> dnsNames)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in dnsNames)
            names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        return Create(new CertificateRequest($"CN={dnsNames[0]}", key, HashAlgorithmName.SHA256), names.Build());
    }

    /// <summary>Self-signed, valid now, with these extensions.</summary>
    public static X509Certificate2 Create(CertificateRequest request, params ReadOnlySpan<X509Extension> extensions)
    {
        foreach (var extension in extensions)
            request.CertificateExtensions.Add(extension);
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), password: null);
    }
}
