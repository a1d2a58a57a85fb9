using System.Collections.Immutable;
using System.Security.Authentication;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>tls</c>: the certificate that listeners show, and the oldest protocol they speak.</summary>
/// <param name="CertificateFile">PEM, absolute; null for a self-signed one made at first start.</param>
/// <param name="KeyFile">PEM, absolute; null exactly when <paramref name="CertificateFile"/> is.</param>
internal sealed record TlsSection(string? CertificateFile, string? KeyFile, SslProtocols Protocols)
{
    /// <summary>Shown to clients that ask for a name in them.</summary>
    public ImmutableArray<AdditionalCertificate> Additional { get; init; } = [];

    /// <summary>Every file that is named.</summary>
    public IEnumerable<string> Files =>
        [.. CertificateFile is not null && KeyFile is not null
            ? [CertificateFile, KeyFile]
            : (string[])[], .. Additional.SelectMany(static a => (string[])[a.CertificateFile, a.KeyFile])];

    private static readonly Kind<SslProtocols> Minimum = Kinds.Word(
        ("1.2", SslProtocols.Tls12 | SslProtocols.Tls13), ("1.3", SslProtocols.Tls13));

    public static TlsSection Read(Section section)
    {
        var options = new TlsSection(
            section.FilePath(
                "certificate",
                fallback: null,
                "a self-signed one, made at first start",
                "A PEM file: the certificate first, then the intermediates that clients need. "
                    + "A replaced file is shown within ten seconds, or at once on SIGHUP; one that cannot be used changes nothing."),
            section.FilePath(
                "key", fallback: null, "none", "A PEM file with the certificate's private key, not encrypted. Needed with `certificate`."),
            section.Value("minimum", Minimum, SslProtocols.Tls12 | SslProtocols.Tls13, "`1.2`", "The oldest TLS version that is spoken."))
        {
            Additional = section.Children(
                "additional",
                AdditionalCertificate.Read,
                [],
                "More certificates, for clients that ask for one of their names (SNI). The first that has a name counts; "
                    + "`certificate` comes before them, and is for everyone else."),
        };

        if (options is { CertificateFile: not null, KeyFile: null })
            section.Report("certificate", "a certificate without its key cannot be used", "tls.key as well");
        if (options is { CertificateFile: null, KeyFile: not null })
            section.Report("key", "a key without its certificate cannot be used", "tls.certificate as well");
        return options;
    }
}

/// <summary>One entry of <c>tls.additional</c>. Both files are PEM, absolute.</summary>
internal sealed record AdditionalCertificate(string CertificateFile, string KeyFile)
{
    public static AdditionalCertificate Read(Section section) => new(
        section.RequiredFilePath(
            "certificate",
            "A PEM file: the certificate first, then the intermediates. The names in it (subjectAltName, "
                + "`*.` too) say which clients are shown it."),
        section.RequiredFilePath("key", "A PEM file with its private key, not encrypted."));
}
