using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Client;

/// <summary>
/// A certificate that verifies by its issuer, date and usage, and is for one of these names, whatever the server was called when it was
/// connected to.
/// </summary>
/// <param name="names">Host names; <c>.example.org</c> stands for every name below it.</param>
/// <param name="roots">Null for the platform's.</param>
public sealed class NamedServerProof(ImmutableArray<string> names, X509Certificate2Collection? roots = null) : IServerProof
{
    /// <inheritdoc/>
    public ServerDistrust? WhyNot(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        var expected = string.Join(" or ", names);
        if (ServerTrust.WhyNot(shown, chain, errors & ~SslPolicyErrors.RemoteCertificateNameMismatch, expected, roots) is { } why)
            return why;
        return shown is null ? new ServerDistrust(CertificateFault.Missing, "the server shows no certificate")
            : names.Any(name => IsFor(shown, name)) ? null
            : new ServerDistrust(
                CertificateFault.WrongName,
                $"wrong name: the certificate is for {ServerTrust.NamesOf(shown)}, and {expected} was expected");
    }

    /// <inheritdoc/>
    public bool AreAnswersKept => true;

    /// <summary>Equal names and the same roots.</summary>
    public override bool Equals(object? obj) =>
        obj is NamedServerProof other
        && names.SequenceEqual(other.Names, StringComparer.OrdinalIgnoreCase)
        && ReferenceEquals(roots, other.Roots);

    /// <inheritdoc/>
    public override int GetHashCode() => names.Length == 0 ? 0 : StringComparer.OrdinalIgnoreCase.GetHashCode(names[0]);

    private ImmutableArray<string> Names => names;

    private X509Certificate2Collection? Roots => roots;

    private static bool IsFor(X509Certificate2 shown, string name)
    {
        try
        {
            return name.StartsWith('.')
                ? shown.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(static e => e.EnumerateDnsNames())
                    .Any(dns => dns.EndsWith(name, StringComparison.OrdinalIgnoreCase))
                : shown.MatchesHostname(name, allowWildcards: true, allowCommonName: false);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }
}
