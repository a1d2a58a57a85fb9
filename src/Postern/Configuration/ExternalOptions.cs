using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts.Certificates;

namespace Postern.Configuration;

/// <summary><c>external</c>: which account a client certificate is.</summary>
/// <param name="AuthorityFile">PEM, absolute; null where only listed certificates are believed.</param>
internal sealed record ExternalOptions(string? AuthorityFile, CertificateName User, ImmutableArray<ExternalCertificate> Certificates)
{
    private static readonly Kind<CertificateName> Names = Kinds.Word(("email", CertificateName.Email), ("dns", CertificateName.Dns));

    public static ExternalOptions Read(Section section)
    {
        var options = new ExternalOptions(
            section.ReadFile(
                "authority",
                "none",
                "A PEM file of authorities. Certificates for client authentication that chain to one of them are believed, and no others: "
                    + "the system's roots do not count. Intermediates may stand in it too. Read again when it changes."),
            section.Value(
                "user",
                Names,
                CertificateName.Email,
                "`email`",
                "Which name in such a certificate's subjectAltName is the account. A certificate with none of that kind, "
                    + "or with more than one, is nobody's; its subject is never looked at."),
            section.Children(
                "certificates",
                ExternalCertificate.Read,
                [],
                "Certificates that are believed by themselves, whoever issued them, until they expire."));

        if (options.AuthorityFile is null && section.Has("user"))
            section.Report("user", "without an authority no certificate is believed by its name", "external.authority as well");
        if (options.AuthorityFile is null && !section.Has("certificates"))
            section.Report("authority", "neither an authority nor certificates: nobody could log in by this", "authority or certificates");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Certificates.Length; i++)
        {
            if (options.Certificates[i].Fingerprint is { } fingerprint && !seen.Add(fingerprint))
                section.Report("certificates", i, "this fingerprint is listed already");
        }

        return options;
    }
}

/// <summary>One entry of <c>external.certificates</c>.</summary>
/// <param name="Fingerprint">SHA-256, 64 lower-case hexadecimal digits.</param>
internal sealed record ExternalCertificate(string Fingerprint, string Account)
{
    public static ExternalCertificate Read(Section section) => new(
        section.Required(
            "fingerprint",
            Kinds.Fingerprint,
            "SHA-256 of the certificate, as `openssl x509 -noout -fingerprint -sha256 -in client.pem` prints it; "
                + "colons and case do not matter."),
        section.Required("account", Kinds.Text, "The account that it is."));
}
