using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Session;

namespace Postern.Relay.Accounts.Certificates;

/// <summary>
/// The authorities whose client certificates are believed. The system's roots are not among them, and nothing is ever fetched.
/// </summary>
/// <param name="roots">Self-signed; a chain must end in one of them.</param>
/// <param name="intermediates">May stand in a chain where the client sent none.</param>
public sealed class CertificateAuthorities(X509Certificate2Collection roots, X509Certificate2Collection intermediates)
{
    private const int MostLearned = 100;

    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    /// <summary>Intermediates that have stood in a good chain, by their hash. A client that resumes its TLS session sends none.</summary>
    private readonly ConcurrentDictionary<string, X509Certificate2> learned = new(StringComparer.Ordinal);

    /// <summary>Null when the certificate is good at <paramref name="now"/>; else what is wrong with it.</summary>
    public string? WhyNot(ClientCertificate certificate, DateTimeOffset now)
    {
        var sent = new List<X509Certificate2>();
        using var chain = new X509Chain();
        try
        {
            var shown = Load(certificate.Octets);
            chain.ChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationTime = now.LocalDateTime,
            };
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
            chain.ChainPolicy.ApplicationPolicy.Add(ClientAuthentication);
            chain.ChainPolicy.ExtraStore.AddRange(intermediates);
            foreach (var known in learned.Values)
                chain.ChainPolicy.ExtraStore.Add(known);
            foreach (var intermediate in certificate.Intermediates)
                chain.ChainPolicy.ExtraStore.Add(Load(intermediate));
            if (!chain.Build(shown))
                return Words(chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status));
            Learn(chain);
            return null;
        }
        catch (CryptographicException e)
        {
            return $"it cannot be read: {e.Message}";
        }
        finally
        {
            sent.ForEach(static c => c.Dispose());
            foreach (var element in chain.ChainElements)
                element.Certificate.Dispose();
        }

        X509Certificate2 Load(ReadOnlyMemory<byte> octets)
        {
            sent.Add(X509CertificateLoader.LoadCertificate(octets.Span));
            return sent[^1];
        }
    }

    private void Learn(X509Chain chain)
    {
        for (var i = 1; i < chain.ChainElements.Count - 1 && learned.Count < MostLearned; i++)
        {
            var intermediate = chain.ChainElements[i].Certificate;
            learned.GetOrAdd(
                intermediate.Thumbprint, static (_, octets) => X509CertificateLoader.LoadCertificate(octets), intermediate.RawData);
        }
    }

    private static string Words(X509ChainStatusFlags flaws) =>
        flaws.HasFlag(X509ChainStatusFlags.NotTimeValid) ? "it, or an authority of it, has expired or is not valid yet"
        : flaws.HasFlag(X509ChainStatusFlags.NotValidForUsage) ? "its extended key usage is not client authentication"
        : (flaws & (X509ChainStatusFlags.PartialChain
            | X509ChainStatusFlags.UntrustedRoot)) != 0 ? "no authority of external.authority issued it, or an intermediate is missing"
        : flaws.ToString();
}
