using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Testing;

/// <summary>An authority of client certificates: its own certificate, and those it issues.</summary>
public sealed class TestAuthority : IDisposable
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Self-signed.</summary>
    public static TestAuthority Create(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new TestAuthority(TestCertificate.Create(
            new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256), new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true)));
    }

    /// <summary>An authority below this one.</summary>
    public TestAuthority CreateIntermediate(string name) => new(Issue($"CN={name}", static (request, _) =>
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true))));

    /// <summary>For one client, with its private key.</summary>
    /// <param name="usage">Of the extended key usage.</param>
    /// <param name="validFor">From a day ago on; less than nothing ends it before now.</param>
    /// <param name="extension">One more.</param>
    public X509Certificate2 IssueClient(string subject, string[]? emails = null, string[]? names = null, string usage = ClientAuthentication, TimeSpan? validFor = null, X509Extension? extension = null) => Issue(
        subject,
        (request, alternative) =>
        {
            foreach (var email in emails ?? [])
                alternative.AddEmailAddress(email);
            foreach (var name in names ?? [])
                alternative.AddDnsName(name);
            if (emails is not null || names is not null)
                request.CertificateExtensions.Add(alternative.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
            if (extension is not null)
                request.CertificateExtensions.Add(extension);
        },
        validFor);

    /// <summary>For one server, with its private key.</summary>
    public X509Certificate2 IssueServer(string[] names, IPAddress[]? addresses = null, string usage = "1.3.6.1.5.5.7.3.1", TimeSpan? validFor = null) => Issue(
        "CN=of a server",
        (request, alternative) =>
        {
            foreach (var name in names)
                alternative.AddDnsName(name);
            foreach (var address in addresses ?? [])
                alternative.AddIpAddress(address);
            request.CertificateExtensions.Add(alternative.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        },
        validFor);

    public void Dispose() => Certificate.Dispose();

    private X509Certificate2 Issue(string subject, Action<CertificateRequest, SubjectAlternativeNameBuilder> extend, TimeSpan? validFor = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        extend(request, new SubjectAlternativeNameBuilder());
        var from = Certificate.NotBefore;
        using var issued = request.Create(Certificate, from, from + (validFor ?? TimeSpan.FromDays(20)), RandomNumberGenerator.GetBytes(8));
        using var joined = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), password: null);
    }
}
