using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary>One entry of <c>external.certificates</c>.</summary>
/// <param name="Fingerprint">SHA-256, 64 lower-case hexadecimal digits.</param>
internal sealed record ExternalCertificate(string Fingerprint, string Account)
{
    public static ExternalCertificate Read(Section section) => new(
        section.Required("fingerprint", Kinds.Fingerprint, "SHA-256 of the certificate, as `openssl x509 -noout -fingerprint -sha256 -in client.pem` prints it; colons and case do not matter."),
        section.Required("account", Kinds.Text, "The account that it is."));
}
