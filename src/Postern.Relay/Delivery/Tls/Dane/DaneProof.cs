using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Tls.Dane;

/// <summary>
/// Authenticates a server by its TLSA records (RFC 7672 §3). DANE-EE: the certificate is the one, whatever names and dates it has.
/// DANE-TA: an issuer that the server sends, or that the record holds, is the one, and the certificate is valid below it and for the right
/// name.
/// </summary>
/// <param name="records">At least one.</param>
/// <param name="names">For DANE-TA: the TLSA base domain first (§3.2.2).</param>
internal sealed class DaneProof(ImmutableArray<TlsaRecord> records, ImmutableArray<string> names) : IServerProof
{
    /// <summary>No server needs more issuers; each costs a chain.</summary>
    private const int MaxIssuers = 16;

    private const X509ChainStatusFlags NotAboutTheAnchor = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
        | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    public ImmutableArray<string> Names => names;

    /// <inheritdoc/>
    public bool AreAnswersKept => true;

    private ImmutableArray<TlsaRecord> Records => records;

    /// <summary>The same records and names.</summary>
    public override bool Equals(object? obj) => obj is DaneProof other
        && names.SequenceEqual(other.Names, StringComparer.OrdinalIgnoreCase)
        && records.SequenceEqual(other.Records, IsSame);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(names[0]);

    public ServerDistrust? WhyNot(X509Certificate2? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is null)
            return new ServerDistrust(CertificateFault.Missing, "the server shows no certificate");
        if (records.Any(r => r.Usage == TlsaUsage.EndEntity && r.Matches(shown)))
            return null;
        var anchors = records.Where(static r => r.Usage == TlsaUsage.Anchor).ToList();
        ServerDistrust? nearest = null;
        if (anchors.Count > 0)
        {
            var held = anchors.Select(static r => r.Held()).OfType<X509Certificate2>().ToList();
            try
            {
                X509Certificate2[] issuers =
                    [.. IssuersIn(shown, chain).Concat(held).DistinctBy(static c => c.Thumbprint).Take(MaxIssuers)];
                foreach (var issuer in issuers.Where(i => anchors.Exists(a => a.Matches(i))))
                {
                    nearest = WhyNotBelow(issuer, shown, issuers);
                    if (nearest is null)
                        return null;
                }
            }
            finally
            {
                held.ForEach(static c => c.Dispose());
            }
        }

        return nearest ?? new ServerDistrust(
            CertificateFault.NotListed,
            "DANE: no TLSA record of the host is for the certificate that was shown (3 1 1 would be "
                + $"{Convert.ToHexStringLower(SHA256.HashData(CertificateKey.Of(shown).Span))})");
    }

    private static bool IsSame(TlsaRecord one, TlsaRecord other) =>
        (one.Usage, one.Selector, one.Matching) == (other.Usage, other.Selector, other.Matching)
        && one.Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    private static IEnumerable<X509Certificate2> IssuersIn(X509Certificate2 shown, X509Chain? chain) =>
        (chain?.ChainPolicy.ExtraStore ?? [])
            .Concat((chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>()).Select(static e => e.Certificate))
            .Where(c => !c.RawDataMemory.Span.SequenceEqual(shown.RawDataMemory.Span));

    /// <summary>Why the certificate is not a valid one of this issuer's; null where it is.</summary>
    private ServerDistrust? WhyNotBelow(X509Certificate2 anchor, X509Certificate2 shown, X509Certificate2[] issuers)
    {
        using var below = new X509Chain
        {
            ChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                // An anchor need be no root: what is above it does not count.
                VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority,
            },
        };
        below.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        below.ChainPolicy.CustomTrustStore.Add(anchor);
        below.ChainPolicy.ExtraStore.AddRange(issuers);
        below.Build(shown);
        try
        {
            var flags = X509ChainStatusFlags.NoError;
            var found = false;
            foreach (var element in below.ChainElements)
            {
                flags |= element.ChainElementStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status);
                found = element.Certificate.RawDataMemory.Span.SequenceEqual(anchor.RawDataMemory.Span);
                if (found)
                    break;
            }

            flags &= ~NotAboutTheAnchor;
            if (!found)
                return new ServerDistrust(
                    CertificateFault.UnknownIssuer,
                    "DANE: the certificate that a TLSA record is for did not issue the server's");
            if (flags.HasFlag(X509ChainStatusFlags.NotTimeValid))
                return new ServerDistrust(
                    CertificateFault.WrongDate,
                    "DANE: the server's certificate, or one between it and that of the TLSA record, is out of date");
            if (flags != X509ChainStatusFlags.NoError)
                return new ServerDistrust(
                    CertificateFault.Other,
                    $"DANE: the way from the server's certificate to that of the TLSA record is broken ({flags})");
        }
        finally
        {
            foreach (var element in below.ChainElements)
                element.Certificate.Dispose();
        }

        return names.Any(name => CertificateNames.IsFor(shown, name))
            ? null
            : new ServerDistrust(
                CertificateFault.WrongName,
                $"DANE: the certificate is for {ShownCertificate.Of(shown).For}, and {string.Join(" or ", names)} was expected");
    }
}
