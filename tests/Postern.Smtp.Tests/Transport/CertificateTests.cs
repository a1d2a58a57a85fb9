using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>Which certificate is shown to whom, that it can change under way, and that none of it costs resumption.</summary>
public sealed class CertificateTests : IDisposable
{
    private static readonly X509Certificate2 Main = TestCertificate.Create("mail.example.org");
    private static readonly X509Certificate2 Other = TestCertificate.Create("smtp.example.net", "*.devices.example.net", "xn--bcher-kva.example");

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));

    private CancellationToken Ct => patience.Token;

    [Theory]
    [InlineData("mail.example.org", true)]
    [InlineData("smtp.example.net", false)]
    [InlineData("SMTP.Example.NET", false)]
    [InlineData("printer.devices.example.net", false)]
    [InlineData("a.printer.devices.example.net", true)]
    [InlineData("devices.example.net", true)]
    [InlineData("xn--bcher-kva.example", false)]
    [InlineData("bücher.example", false)]
    [InlineData("nobody.example", true)]
    [InlineData("", true)]
    public async Task The_name_that_a_client_asks_for_picks_the_certificate(string name, bool isMain)
    {
        await using var rig = new TlsRig(Both());
        var (serial, _, _) = await rig.VisitAsync(Client(name), Ct);
        Assert.Equal((isMain ? Main : Other).SerialNumber, serial);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Sessions_are_resumed_also_where_the_name_picks_the_certificate_and_a_swap_breaks_nobody(SslProtocols protocol)
    {
        var tls = Both();
        await using var rig = new TlsRig(tls);
        foreach (var name in (string[])["resumed.mail.example.org", "resumed.devices.example.net"])
        {
            var client = Client(name, protocol);
            Assert.False((await rig.VisitAsync(client, Ct)).IsResumed);
            Assert.True((await rig.VisitAsync(client, Ct)).IsResumed);
        }

        using var next = TestCertificate.Create("mail.example.org", "*.devices.example.net");
        tls.Replace(new TlsCertificate(next));
        var again = Client("resumed.devices.example.net", protocol);
        Assert.Equal((next.SerialNumber, false), await SerialAsync(again));
        Assert.Equal((next.SerialNumber, true), await SerialAsync(again));

        async Task<(string Serial, bool IsResumed)> SerialAsync(SslClientAuthenticationOptions client)
        {
            var (serial, isResumed, _) = await rig.VisitAsync(client, Ct);
            return (serial, isResumed);
        }
    }

    /// <summary>Row 24.</summary>
    [Fact]
    public async Task Row_24_a_replaced_certificate_is_shown_by_the_next_handshake_and_no_session_is_dropped()
    {
        var tls = new TlsOptions(Main);
        await using var rig = new TlsRig(tls);
        await using var open = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        await open.AuthenticateAsClientAsync(Client("mail.example.org"), Ct);
        using var reader = new StreamReader(open);
        Assert.StartsWith("220 ", await reader.ReadLineAsync(Ct));

        tls.Replace(new TlsCertificate(Other));

        Assert.Equal(Other.SerialNumber, (await rig.VisitAsync(Client("mail.example.org"), Ct)).Serial);
        Assert.Same(Other, tls.Certificate);
        await open.WriteAsync("NOOP\r\n"u8.ToArray(), Ct);
        Assert.StartsWith("250 ", await reader.ReadLineAsync(Ct));
    }

    /// <summary>Row 23: by construction, and counted: what a listener keeps is one options object a certificate, whatever is asked for.</summary>
    [Fact]
    public void Row_23_ten_thousand_names_that_clients_ask_for_are_not_kept()
    {
        var set = new CertificateSet(new TlsCertificate(Main), [new TlsCertificate(Other)]);
        for (var i = 0; i < 10_000; i++)
            set.Find($"{i}.example");
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            set.Find("some.name.that.nobody.has.example");
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(2, set.All.Length);
    }

    [Theory]
    [InlineData("SHA256")]
    [InlineData("SHA384")]
    [InlineData("SHA512")]
    public async Task The_end_point_binding_is_what_the_client_computes_of_the_certificate_it_was_shown(string hash)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("bound.example.org");
        using var certificate = TestCertificate.Create(new CertificateRequest("CN=bound", key, new HashAlgorithmName(hash)), names.Build());
        var shown = new TlsCertificate(certificate);
        await using var rig = new TlsRig(new TlsOptions(new TlsCertificate(Main), [shown]));

        var (_, _, computed) = await rig.VisitAsync(Client("bound.example.org"), Ct);

        Assert.Equal(computed, shown.EndPoint);
    }

    [Theory]
    [InlineData("SHA512", "SHA512")]
    [InlineData("SHA256", "SHA256")]
    [InlineData("SHA384", "SHA384")]
    public void The_end_point_hash_follows_the_signature_also_of_rsa_pss(string signature, string expected)
    {
        using var key = RSA.Create(2048);
        foreach (var padding in (RSASignaturePadding[])[RSASignaturePadding.Pkcs1, RSASignaturePadding.Pss])
        {
            using var certificate = TestCertificate.Create(new CertificateRequest("CN=x", key, new HashAlgorithmName(signature), padding));
            Assert.Equal(CryptographicOperations.HashData(new HashAlgorithmName(expected), certificate.RawData), EndPointHash.Of(certificate));
        }
    }

    [Fact]
    public async Task A_client_certificate_is_a_fact_with_the_names_it_has_and_what_is_wrong_with_it()
    {
        await using var rig = new TlsRig(new TlsOptions(Main), static l => l with { AsksForClientCertificate = true });
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("device.example.org");
        names.AddEmailAddress("alice@example.org");
        using var certificate = TestCertificate.Create(new CertificateRequest("CN=root@example.org", key, HashAlgorithmName.SHA256), names.Build());

        await rig.VisitAsync(Client("mail.example.org", certificate: certificate), Ct);

        var fact = Assert.IsType<ClientCertificate>(rig.NextFacts(Ct).ClientCertificate);
        Assert.Equal(("CN=root@example.org", certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant()), (fact.Subject, fact.Fingerprint));
        Assert.Equal(["device.example.org"], fact.DnsNames);
        Assert.Equal(["alice@example.org"], fact.EmailAddresses);
        Assert.False(fact.IsTrusted);
        Assert.Contains("UntrustedRoot", fact.Distrust, StringComparison.Ordinal);
        Assert.Equal(certificate.NotAfter.ToUniversalTime(), fact.NotAfter.UtcDateTime);
    }

    /// <summary>Row 40: no name is guessed where the certificate has none.</summary>
    [Fact]
    public async Task Row_40_a_client_certificate_without_names_has_none_whatever_its_subject_says()
    {
        await using var rig = new TlsRig(new TlsOptions(Main), static l => l with { AsksForClientCertificate = true });
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = TestCertificate.Create(new CertificateRequest("CN=alice@example.org", key, HashAlgorithmName.SHA256));

        await rig.VisitAsync(Client("mail.example.org", certificate: certificate), Ct);

        var fact = rig.NextFacts(Ct).ClientCertificate!;
        Assert.Empty(fact.DnsNames);
        Assert.Empty(fact.EmailAddresses);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nobody_needs_a_client_certificate(bool isAsked)
    {
        await using var rig = new TlsRig(new TlsOptions(Main), l => l with { AsksForClientCertificate = isAsked });
        var client = Client("mail.example.org");
        await rig.VisitAsync(client, Ct);
        Assert.True((await rig.VisitAsync(client, Ct)).IsResumed);
        Assert.Null(rig.NextFacts(Ct).ClientCertificate);
    }

    [Fact]
    public async Task A_listener_may_have_a_floor_of_its_own()
    {
        await using var rig = new TlsRig(new TlsOptions(Main), static l => l with { TlsProtocols = SslProtocols.Tls13 });
        await rig.VisitAsync(Client("mail.example.org", SslProtocols.Tls13), Ct);
        Assert.Equal("TLSv1.3", rig.NextFacts(Ct).Version);
        await Assert.ThrowsAsync<AuthenticationException>(() => rig.VisitAsync(Client("mail.example.org", SslProtocols.Tls12), Ct));
        Assert.NotEmpty(rig.NextFailure(Ct));
    }

    /// <summary>Row 25: whatever a client offers by ALPN gets a handshake without it; what speaks HTTP then is gone at its first line.</summary>
    [Theory]
    [InlineData("smtp")]
    [InlineData("http/1.1")]
    public async Task Row_25_alpn_is_tolerated_and_http_closes_at_once(string protocol)
    {
        await using var rig = new TlsRig(new TlsOptions(Main));
        await using var tls = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        var client = Client("mail.example.org");
        client.ApplicationProtocols = [new SslApplicationProtocol(protocol)];
        await tls.AuthenticateAsClientAsync(client, Ct);
        Assert.True(tls.NegotiatedApplicationProtocol.Protocol.IsEmpty);

        using var reader = new StreamReader(tls);
        Assert.StartsWith("220 ", await reader.ReadLineAsync(Ct));
        await tls.WriteAsync("POST /<script> HTTP/1.1\r\nHost: mail.example.org\r\n\r\nEHLO x\r\n"u8.ToArray(), Ct);
        var rest = await reader.ReadToEndAsync(Ct);
        Assert.Equal(["5"], rest.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(static l => l[..1]));
        Assert.DoesNotContain("script", rest, StringComparison.Ordinal);
    }

    public void Dispose() => patience.Dispose();

    private static TlsOptions Both() => new(new TlsCertificate(Main), [new TlsCertificate(Other)]);

    private static SslClientAuthenticationOptions Client(string name, SslProtocols protocols = SslProtocols.None, X509Certificate2? certificate = null) => new()
    {
        TargetHost = name,
        EnabledSslProtocols = protocols,
        ClientCertificates = certificate is null ? null : [certificate],
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
    };
}
