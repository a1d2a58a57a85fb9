using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>What a service is reached with, beside its address.</summary>
/// <param name="Authorities">A file of certificates that are trusted there in place of the system's; null for those.</param>
/// <param name="Certificate">A file with the certificate that this server shows, and its issuers; null for none.</param>
/// <param name="Key">A file with its private key; null where it stands beside the certificate.</param>
internal sealed record WebAccess(string? Authorities, string? Certificate, string? Key)
{
    /// <summary>Reads the keys that every kind of store has which is asked over HTTP.</summary>
    public static WebAccess Read(IStoreSection section)
    {
        var access = new WebAccess(
            section.FilePath("ca", "the system's", "A file of certificates (PEM): the server's must lead to one of these."),
            section.FilePath(
                "client_certificate",
                "none",
                "A file with a certificate (PEM) that is shown where the server asks for one, its key with it."),
            section.FilePath("client_key", "in `client_certificate`", "A file with the key of `client_certificate` (PEM)."));
        if (access is { Key: not null, Certificate: null })
            section.Report("client_key", "there is no client_certificate that it is of");
        return access;
    }

    /// <summary>A file that is named and cannot be used, as a sentence; null where all can.</summary>
    public string? WhyNot() =>
        WhyNot("ca", () => LoadAuthorities()) ?? WhyNot("client_certificate", () => LoadCertificate()?.Dispose());

    /// <summary>What <see cref="LoadAuthorities"/> and <see cref="LoadCertificate"/> throw.</summary>
    public static bool IsOfAFile(Exception e) => e is IOException or UnauthorizedAccessException or CryptographicException;

    /// <summary>Null for the system's.</summary>
    /// <exception cref="CryptographicException">The file holds no certificate.</exception>
    public X509Certificate2Collection? LoadAuthorities()
    {
        if (Authorities is null)
            return null;
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(Authorities);
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"{Authorities} holds no certificate");
    }

    /// <summary>With its key; null for none. The caller disposes it.</summary>
    public X509Certificate2? LoadCertificate() =>
        Certificate is null ? null : X509Certificate2.CreateFromPemFile(Certificate, Key ?? Certificate);

    /// <summary>What tells whether one of the files has changed.</summary>
    public (FileStamp? Authorities, FileStamp? Certificate, FileStamp? Key) Stamps =>
        (StampOf(Authorities), StampOf(Certificate), StampOf(Key));

    private static FileStamp? StampOf(string? file) => file is null ? null : FileStamp.Of(file);

    private static string? WhyNot(string key, Action load)
    {
        try
        {
            load();
            return null;
        }
        catch (Exception e) when (IsOfAFile(e))
        {
            return $"{key}: {e.Message}";
        }
    }
}
