using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Delivery.Tls;

/// <summary>The names in a stranger's certificate. What cannot be read is no name, and never an exception.</summary>
internal static class CertificateNames
{
    private const int MaxNames = 4;
    private const int MaxText = 80;

    /// <summary>The first ones, for people.</summary>
    public static ImmutableArray<string> Of(X509Certificate2 certificate)
    {
        try
        {
            return [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(static names => names.EnumerateDnsNames()).Take(MaxNames).Select(Visible)];
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return [];
        }
    }

    /// <summary>
    /// Whether it is for a name: by its subjectAltName, by its CN only where that has none; <c>*</c> is one whole first label (RFC 7672
    /// §3.2.3).
    /// </summary>
    public static bool IsFor(X509Certificate2 certificate, string name)
    {
        try
        {
            return Uri.CheckHostName(name) == UriHostNameType.Dns
                && certificate.MatchesHostname(name, allowWildcards: true, allowCommonName: true);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>In visible ASCII, and cut.</summary>
    public static string Visible(string text) => string.Concat(text.Take(MaxText).Select(static c => c is >= ' ' and <= '~' ? c : '?'));
}
