using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>Ciphers of one listener alone, and the certificate that a client can use.</summary>
public sealed class CipherTests : IDisposable
{
    private static readonly X509Certificate2 Rsa = MakeRsa();
    private static readonly TlsOptions Tls = new(new TlsCertificate(TestCertificate.Instance), [new TlsCertificate(Rsa)]);

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    private CancellationToken Ct => patience.Token;

    public void Dispose() => patience.Dispose();

    [Theory]
    [InlineData(null, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true)]
    [InlineData(null, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", false)]
    [InlineData(TlsCiphers.Modern, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true)]
    [InlineData(TlsCiphers.Modern, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", false)]
    [InlineData(TlsCiphers.Modern, "TLS_RSA_WITH_AES_128_GCM_SHA256", false)]
    [InlineData(TlsCiphers.Compatible, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", true)]
    [InlineData(TlsCiphers.Compatible, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", true)]
    [InlineData(TlsCiphers.Compatible, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", true)]
    [InlineData(TlsCiphers.Compatible, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", true)]
    [InlineData(TlsCiphers.Compatible, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", true)]
    [InlineData(TlsCiphers.Compatible, "TLS_RSA_WITH_AES_128_GCM_SHA256", true)]
    [InlineData(TlsCiphers.Compatible, "TLS_RSA_WITH_AES_256_CBC_SHA", true)]
    [InlineData(TlsCiphers.Legacy, "TLS_RSA_WITH_AES_256_CBC_SHA", true)]
    [InlineData(TlsCiphers.Legacy, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true)]
    public async Task A_listener_takes_the_ciphers_of_its_word_and_no_others(TlsCiphers? ciphers, string suite, bool isTaken)
    {
        await using var rig = new TlsRig(Tls, l => l with { Ciphers = ciphers });
        Assert.Equal(isTaken, await IsTakenAsync(rig, Enum.Parse<TlsCipherSuite>(suite)));
        if (!isTaken)
            Assert.StartsWith("no shared cipher: the client offers none that is taken here (TLS 1.2, 1.3; ciphers: modern; it speaks up to TLS 1.2)", rig.NextFailure(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_legacy_listener_weakens_no_other_one()
    {
        await using var modern = new TlsRig(Tls);
        Assert.False(await IsTakenAsync(modern, TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA));
        await using var legacy = new TlsRig(Tls, l => l with { Ciphers = TlsCiphers.Legacy });
        Assert.True(await IsTakenAsync(legacy, TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA));
        Assert.False(await IsTakenAsync(modern, TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA));
        await using var later = new TlsRig(Tls);
        Assert.False(await IsTakenAsync(later, TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA));
    }

    [Theory]
    [InlineData(TlsCiphers.Compatible)]
    [InlineData(TlsCiphers.Legacy)]
    public async Task Sessions_are_resumed_with_ciphers_of_ones_own_too_and_a_replaced_certificate_has_them(TlsCiphers ciphers)
    {
        using var first = TestCertificate.Create("resumed.test");
        var tls = new TlsOptions(new TlsCertificate(first), []);
        await using var rig = new TlsRig(tls, l => l with { Ciphers = ciphers });
        var client = new SslClientAuthenticationOptions { TargetHost = $"{ciphers}.resumed.test", RemoteCertificateValidationCallback = static (_, _, _, _) => true };
        Assert.False((await rig.VisitAsync(client, Ct)).IsResumed);
        Assert.True((await rig.VisitAsync(client, Ct)).IsResumed);

        tls.Replace(new TlsCertificate(Rsa));
        Assert.True(await IsTakenAsync(rig, TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256));
    }

    [Theory]
    [InlineData("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "", false)]
    [InlineData("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "", true)]
    [InlineData("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "localhost", true)]
    [InlineData(null, "localhost", false)]
    [InlineData(null, "unknown.test", false)]
    public async Task A_client_is_shown_the_certificate_of_the_kind_that_it_can_use(string? suite, string name, bool isRsa)
    {
        await using var rig = new TlsRig(Tls);
        await using var client = await HandshakeAsync(rig, suite is null ? null : Enum.Parse<TlsCipherSuite>(suite), name);
        Assert.Equal(isRsa ? Rsa.Thumbprint : TestCertificate.Instance.Thumbprint, client!.RemoteCertificate!.GetCertHashString());
    }

    [Fact]
    public async Task A_hello_that_is_cut_or_changed_anywhere_is_read_without_harm()
    {
        var wire = new MemoryStream();
        await using (var client = new SslStream(wire))
            await Assert.ThrowsAnyAsync<IOException>(() => client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, Ct));
        var hello = wire.ToArray();
        const SslProtocols Both = SslProtocols.Tls12 | SslProtocols.Tls13;
        Assert.Equal(new ClientHello(0x0304, TakesEcdsa: true, TakesRsa: true), ClientHello.Read(hello, Both));
        for (var i = 0; i < hello.Length; i++)
        {
            _ = ClientHello.Read(hello.AsSpan(0, i), Both);
            foreach (byte value in (byte[])[0, 1, 0x7f, 0xff])
            {
                var changed = hello.ToArray();
                changed[i] = value;
                _ = ClientHello.Read(changed, Both);
            }
        }
    }

    [Theory]
    [InlineData(TlsCiphers.Modern, 11)]
    [InlineData(TlsCiphers.Compatible, 30)]
    [InlineData(TlsCiphers.Legacy, 34)]
    public void Every_cipher_has_its_name_in_the_runtimes_list_too(TlsCiphers ciphers, int count)
    {
        Assert.Equal(count, CipherGrant.PolicyOf(ciphers).Distinct().Count());
        Assert.Equal(count - 3, CipherGrant.NamesOf(ciphers).Count);
    }

    /// <summary>docs/tls.md, which an operator reads.</summary>
    [Fact]
    public void The_page_lists_every_cipher_of_each_word()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "tls.md"));
        var before = 0;
        foreach (var ciphers in Enum.GetValues<TlsCiphers>())
        {
            var names = CipherGrant.NamesOf(ciphers);
            Assert.Contains($": {string.Join(", ", names.Skip(before).Select(static name => $"`{name}`"))}.", page, StringComparison.Ordinal);
            before = names.Count;
        }
    }

    private static X509Certificate2 MakeRsa()
    {
        using var key = RSA.Create(2048);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        return TestCertificate.Create(new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), names.Build());
    }

    private async Task<bool> IsTakenAsync(TlsRig rig, TlsCipherSuite suite)
    {
        await using var client = await HandshakeAsync(rig, suite, "localhost");
        return client?.NegotiatedCipherSuite == suite;
    }

    /// <summary>Over TLS 1.2 where a suite is asked for; null when it fails.</summary>
    private async Task<SslStream?> HandshakeAsync(TlsRig rig, TlsCipherSuite? suite, string name)
    {
        var client = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        var options = new SslClientAuthenticationOptions { TargetHost = name, RemoteCertificateValidationCallback = static (_, _, _, _) => true };
        if (suite is { } one && !OperatingSystem.IsWindows())
        {
            options.EnabledSslProtocols = SslProtocols.Tls12;
            options.CipherSuitesPolicy = new CipherSuitesPolicy([one]);
        }

        try
        {
            await client.AuthenticateAsClientAsync(options, Ct);
            return client;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await client.DisposeAsync();
            return null;
        }
    }
}
