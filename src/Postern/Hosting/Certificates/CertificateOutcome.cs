using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using Postern.Machine;

namespace Postern.Hosting.Certificates;

/// <summary>What loading a certificate came to.</summary>
internal abstract record CertificateOutcome
{
    private CertificateOutcome()
    {
    }

    /// <param name="Certificate">With its private key; the taker disposes it.</param>
    /// <param name="Chain">The intermediates that stood behind it in the file.</param>
    /// <param name="Warnings">Expired, about to, or for another name: served all the same.</param>
    public sealed record Loaded(X509Certificate2 Certificate, X509Certificate2Collection Chain, ImmutableArray<string> Warnings)
        : CertificateOutcome
    {
        /// <summary>The configuration key of the certificate.</summary>
        public string Key { get; init; } = "tls.certificate";
    }

    /// <param name="Key">The configuration key to look at.</param>
    public sealed record Unusable(string Key, Problem Problem) : CertificateOutcome;
}
