using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Dane;
using Postern.Smtp.Client;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>Which certificates TLSA records prove (RFC 7672 §3, RFC 7671 §5).</summary>
public sealed class DaneProofTests
{
    private static readonly TestAuthority Root = TestAuthority.Create("root");

    private static TlsaRecord Record(TlsaUsage usage, X509Certificate2 certificate, TlsaSelector selector = TlsaSelector.Certificate, TlsaMatching matching = TlsaMatching.Sha256)
    {
        var selected = selector == TlsaSelector.Key ? certificate.PublicKey.ExportSubjectPublicKeyInfo() : certificate.RawData;
        return new(usage, selector, matching, [.. matching switch { TlsaMatching.Sha256 => SHA256.HashData(selected), TlsaMatching.Sha512 => SHA512.HashData(selected), _ => selected }]);
    }

    private static CertificateFault? FaultOf(X509Certificate2 shown, X509Certificate2[] sent, TlsaRecord record, params string[] names)
    {
        using var chain = new X509Chain { ChainPolicy = new() { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck } };
        chain.ChainPolicy.ExtraStore.AddRange(sent);
        chain.Build(shown);
        return new DaneProof([record], [.. names]).WhyNot(shown, chain, SslPolicyErrors.RemoteCertificateChainErrors)?.Fault;
    }

    [Theory]
    [InlineData(TlsaSelector.Certificate, TlsaMatching.Full)]
    [InlineData(TlsaSelector.Certificate, TlsaMatching.Sha256)]
    [InlineData(TlsaSelector.Certificate, TlsaMatching.Sha512)]
    [InlineData(TlsaSelector.Key, TlsaMatching.Full)]
    [InlineData(TlsaSelector.Key, TlsaMatching.Sha256)]
    [InlineData(TlsaSelector.Key, TlsaMatching.Sha512)]
    internal void Each_selector_and_matching_type_finds_the_certificate_and_no_other(TlsaSelector selector, TlsaMatching matching)
    {
        using var shown = TestCertificate.Create("mx.example.com");
        using var other = TestCertificate.Create("mx.example.com");
        using var rsa = RSA.Create(2048);
        using var old = TestCertificate.Create(new CertificateRequest("CN=rsa", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        Assert.Null(FaultOf(shown, [], Record(TlsaUsage.EndEntity, shown, selector, matching)));
        Assert.Null(FaultOf(old, [], Record(TlsaUsage.EndEntity, old, selector, matching)));
        Assert.Equal(CertificateFault.NotListed, FaultOf(other, [], Record(TlsaUsage.EndEntity, shown, selector, matching)));
    }

    [Fact]
    public void An_end_entity_has_any_name_any_date_and_any_issuer()
    {
        using var expired = Root.IssueServer(["other.example.net"], usage: "1.3.6.1.5.5.7.3.2", validFor: TimeSpan.FromHours(1));

        Assert.Null(FaultOf(expired, [], Record(TlsaUsage.EndEntity, expired, TlsaSelector.Key), "mx.example.com"));
    }

    [Theory]
    [InlineData("mx10.example.com", null)]
    [InlineData("example.com", null)]
    [InlineData("exchange.example.org", null)]
    [InlineData("*.example.com", null)]
    [InlineData("mx15.example.com", CertificateFault.WrongName)]
    [InlineData("mx*.example.com", CertificateFault.WrongName)]
    public void Below_an_anchor_the_certificate_is_for_one_of_the_names_of_rfc_7672(string name, CertificateFault? expected)
    {
        using var shown = Root.IssueServer([name]);

        Assert.Equal(expected, FaultOf(shown, [Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx10.example.com", "exchange.example.org", "example.com"));
    }

    [Fact]
    public void The_common_name_counts_only_where_there_are_no_other_names()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 Issue(params X509Extension[] extensions)
        {
            var request = new CertificateRequest("CN=mx.example.com", key, HashAlgorithmName.SHA256);
            foreach (var extension in extensions)
                request.CertificateExtensions.Add(extension);
            return request.Create(Root.Certificate, Root.Certificate.NotBefore, Root.Certificate.NotAfter, [1, 2, 3]);
        }

        var others = new SubjectAlternativeNameBuilder();
        others.AddDnsName("other.example.com");
        using var common = Issue();
        using var named = Issue(others.Build());

        Assert.Null(FaultOf(common, [Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
        Assert.Equal(CertificateFault.WrongName, FaultOf(named, [Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
    }

    [Fact]
    public void An_anchor_may_be_any_issuer_that_is_sent_or_that_the_record_holds()
    {
        using var root = CreateRoot();
        using var below = root.CreateIntermediate("below");
        using var shown = below.IssueServer(["mx.example.com"]);

        Assert.Null(FaultOf(shown, [below.Certificate], Record(TlsaUsage.Anchor, below.Certificate), "mx.example.com"));
        Assert.Null(FaultOf(shown, [below.Certificate], Record(TlsaUsage.Anchor, below.Certificate, TlsaSelector.Key, TlsaMatching.Sha512), "mx.example.com"));
        Assert.Null(FaultOf(shown, [below.Certificate, root.Certificate], Record(TlsaUsage.Anchor, root.Certificate), "mx.example.com"));
        Assert.Null(FaultOf(shown, [below.Certificate], Record(TlsaUsage.Anchor, root.Certificate, matching: TlsaMatching.Full), "mx.example.com"));
        // RFC 7672 §3.1.2: an anchor that is only a digest must be sent.
        Assert.Equal(CertificateFault.NotListed, FaultOf(shown, [below.Certificate], Record(TlsaUsage.Anchor, root.Certificate), "mx.example.com"));
    }

    [Fact]
    public void An_anchor_that_is_sent_and_has_not_issued_the_certificate_proves_nothing()
    {
        using var other = TestAuthority.Create("other");
        using var twin = TestAuthority.Create("root");
        using var shown = other.IssueServer(["mx.example.com"]);
        using var forged = twin.IssueServer(["mx.example.com"]);

        Assert.Equal(CertificateFault.UnknownIssuer, FaultOf(shown, [other.Certificate, Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
        // Of the same name, and another key.
        Assert.NotNull(FaultOf(forged, [Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
    }

    [Fact]
    public void Of_issuers_that_are_sent_without_end_sixteen_are_looked_at()
    {
        using var shown = Root.IssueServer(["mx.example.com"]);
        var others = Enumerable.Range(0, 16).Select(static i => TestAuthority.Create($"other {i}")).ToList();

        Assert.Null(FaultOf(shown, [.. others.Take(15).Select(static o => o.Certificate), Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
        Assert.Equal(
            CertificateFault.NotListed,
            FaultOf(shown, [.. others.Select(static o => o.Certificate), Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
        others.ForEach(static o => o.Dispose());
    }

    [Fact]
    public void A_certificate_that_is_its_own_issuer_is_no_anchor()
    {
        using var shown = TestCertificate.Create("mx.example.com");

        Assert.Equal(CertificateFault.NotListed, FaultOf(shown, [shown], Record(TlsaUsage.Anchor, shown), "mx.example.com"));
    }

    [Fact]
    public void Below_an_anchor_dates_and_usage_count()
    {
        using var expired = Root.IssueServer(["mx.example.com"], validFor: TimeSpan.FromHours(1));
        using var client = Root.IssueServer(["mx.example.com"], usage: "1.3.6.1.5.5.7.3.2");

        Assert.Equal(CertificateFault.WrongDate, FaultOf(expired, [Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
        Assert.Equal(CertificateFault.Other, FaultOf(client, [Root.Certificate], Record(TlsaUsage.Anchor, Root.Certificate), "mx.example.com"));
    }

    [Fact]
    public void The_key_is_read_as_it_stands_in_the_certificate()
    {
        using var shown = TestCertificate.Create("mx.example.com");

        Assert.Equal(shown.PublicKey.ExportSubjectPublicKeyInfo(), CertificateKey.Of(shown).ToArray());
    }

    private static TestAuthority CreateRoot() => TestAuthority.Create("the root of a chain");
}
