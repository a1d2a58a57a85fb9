using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Machine;
using Postern.Relay.Accounts.Certificates;

namespace Postern.Hosting.Certificates;

/// <summary>Loads the authorities of client certificates from a PEM file, and says in plain words why it cannot.</summary>
internal static class ClientAuthorityFile
{
    /// <param name="warning">What is doubtful about authorities that are used all the same; null for nothing.</param>
    public static Problem? Load(string file, DateTimeOffset now, out CertificateAuthorities? authorities, out string? warning)
    {
        (authorities, warning) = (null, null);
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new Problem($"{file} does not exist", "Name the file that holds the authority's certificate.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Problem(
                $"{file} cannot be read by {UserIdentity.Current}: {e.Message}", "Make it readable for the user that postern runs as.");
        }
        catch (CryptographicException e)
        {
            return new Problem(
                $"{file} holds a certificate that cannot be read: {e.Message}",
                "Write the file again from where the certificate came from.");
        }

        if (all.FirstOrDefault(static c => !IsAuthority(c)) is { } end)
            return new Problem(
                $"{file} holds a certificate that is no authority: {end.Subject}",
                "Name the authority that issued it, or list its fingerprint in external.certificates.");
        var roots = new X509Certificate2Collection(all.Where(IsSelfIssued).ToArray());
        if (roots.Count == 0)
            return new Problem(
                $"{file} holds no self-signed authority, in which a chain could end", "Put the root of the authority into the file.");
        authorities = new CertificateAuthorities(roots, new X509Certificate2Collection(all.Where(static c => !IsSelfIssued(c)).ToArray()));
        if (all.FirstOrDefault(c => c.NotAfter < now.LocalDateTime) is { } old)
            warning =
                $"the authority {old.Subject} expired on {old.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}: "
                    + $"no certificate of it is believed";
        return null;
    }

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(static e => e.CertificateAuthority);

    private static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
