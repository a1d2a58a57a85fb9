using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary>One entry of <c>tls.additional</c>. Both files are PEM, absolute.</summary>
internal sealed record AdditionalCertificate(string CertificateFile, string KeyFile)
{
    public static AdditionalCertificate Read(Section section) => new(
        section.RequiredFilePath("certificate", "A PEM file: the certificate first, then the intermediates. The names in it (subjectAltName, `*.` too) say which clients are shown it."),
        section.RequiredFilePath("key", "A PEM file with its private key, not encrypted."));
}
