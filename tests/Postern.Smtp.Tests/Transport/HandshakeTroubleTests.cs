using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>Why a handshake failed, as the log says it.</summary>
public sealed class HandshakeTroubleTests : IDisposable
{
    private static readonly TlsOptions Tls = new(TestCertificate.Instance);

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    private CancellationToken Ct => patience.Token;

    public void Dispose() => patience.Dispose();

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "the client speaks HTTP, not TLS")]
    [InlineData("CONNECT mail:25 HTTP/1.1\r\n\r\n", "the client speaks HTTP, not TLS")]
    [InlineData("EHLO printer\r\n", "the client speaks SMTP in plain text, and TLS was to come first")]
    [InlineData("helo printer\r\n", "the client speaks SMTP in plain text, and TLS was to come first")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "the client speaks SSH, not TLS")]
    [InlineData("\u0003\0\0\u0013\u000e\u00e0\0\0", "the client speaks RDP, not TLS")]
    [InlineData("\u0080\u002e\u0001\0\u0002\0\u0015\0\0\0\u0010", "wrong version: the client begins as SSL 2.0 did")]
    [InlineData("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "the client begins with a PROXY protocol header, and its address is not in proxy_from")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000c", "the client begins with a PROXY protocol header, and its address is not in proxy_from")]
    [InlineData("hello, is anybody there?\r\n", "the client speaks plain text, not TLS")]
    [InlineData("\u0001\u0002\u0003\u0004\u0005\u0006", "the client speaks something that is not TLS (010203040506 \u2026)")]
    public async Task What_comes_in_place_of_a_handshake_is_told_by_its_first_octets(string sent, string reason)
    {
        await using var rig = new TlsRig(Tls);
        using var socket = await rig.ConnectAsync(Ct);
        await socket.SendAsync(Encoding.Latin1.GetBytes(sent), Ct);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(reason, rig.NextFailure(Ct));
    }

    [Fact]
    public async Task A_client_that_goes_without_a_word_or_in_the_middle_is_told_as_that()
    {
        await using var rig = new TlsRig(Tls);
        (await rig.ConnectAsync(Ct)).Dispose();
        Assert.Equal("the client left without a word", rig.NextFailure(Ct));

        using var half = await rig.ConnectAsync(Ct);
        await half.SendAsync(Convert.FromHexString("16030100c8010000"), Ct);
        half.Shutdown(SocketShutdown.Send);
        Assert.StartsWith("the client left in the middle of the handshake", rig.NextFailure(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_waits_for_a_greeting_is_told_as_that()
    {
        await using var rig = new TlsRig(Tls);
        using var silent = await rig.ConnectAsync(Ct);
        while (!rig.HasFailures)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
            await Task.Yield();
        }

        Assert.StartsWith("the handshake took too long: the client said nothing, and may be waiting for a greeting in clear", rig.NextFailure(Ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("protocol", "wrong version: the client speaks no TLS version that is taken here (TLS 1.3; ciphers: modern; it speaks up to TLS 1.2)")]
    [InlineData("cipher", "no shared cipher: the client offers none that is taken here (TLS 1.2; ciphers: modern; it speaks up to TLS 1.2)")]
    public async Task A_handshake_without_anything_in_common_is_told_by_what_was_missing(string what, string reason)
    {
        await using var rig = new TlsRig(Tls, l => l with { TlsProtocols = what == "protocol" ? SslProtocols.Tls13 : SslProtocols.Tls12 });
        await using var client = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        var options = new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls12, RemoteCertificateValidationCallback = static (_, _, _, _) => true };
        if (what == "cipher" && !OperatingSystem.IsWindows())
            options.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256]);
        await Assert.ThrowsAnyAsync<Exception>(() => client.AuthenticateAsClientAsync(options, Ct));
        Assert.Equal(reason, rig.NextFailure(Ct));
    }

    /// <summary>As OpenSSL, GnuTLS and NSS do when they see the certificate; .NET finishes the handshake first.</summary>
    [Theory]
    [InlineData(48, "unknown CA: the client does not know who issued the certificate (alert unknown_ca)")]
    [InlineData(42, "the client refuses the certificate (alert bad_certificate)")]
    [InlineData(45, "the client says that the certificate has expired (alert certificate_expired); one of the two clocks may be wrong")]
    [InlineData(46, "the client refuses the certificate and does not say why (alert certificate_unknown)")]
    [InlineData(40, "no shared cipher: the client found nothing among what is offered here that it takes (alert handshake_failure)")]
    [InlineData(70, "wrong version: the client takes no TLS version that is spoken here (alert protocol_version)")]
    [InlineData(113, "the client ended the handshake by alert 113")]
    public async Task What_a_client_says_by_an_alert_is_told_by_its_code(byte alert, string reason)
    {
        var wire = new MemoryStream();
        await using (var hello = new SslStream(wire))
            await Assert.ThrowsAnyAsync<IOException>(() => hello.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls12 }, Ct));
        await using var rig = new TlsRig(Tls);
        using var socket = await rig.ConnectAsync(Ct);
        await socket.SendAsync(wire.ToArray(), Ct);
        Assert.NotEqual(0, await socket.ReceiveAsync(new byte[64], Ct));
        await socket.SendAsync(new byte[] { 0x15, 0x03, 0x03, 0x00, 0x02, 0x02, alert }, Ct);
        Assert.Equal(reason, rig.NextFailure(Ct));
    }

    [Theory]
    [InlineData(TlsMode.StartTls, "the client begins TLS where plain text comes first; it has to say STARTTLS, or to use a listener with tls: implicit")]
    [InlineData(TlsMode.None, "the client begins TLS where plain text comes first; this listener has no TLS (tls: none)")]
    public async Task Tls_spoken_to_a_port_in_clear_is_told_and_ended_at_its_second_octet(TlsMode tls, string reason)
    {
        await using var rig = new TlsRig(Tls, l => l with { Tls = tls });
        await using var client = await RawClient.ConnectAsync(rig.Server, Ct);
        Assert.StartsWith("220 ", await client.ReadLineAsync(Ct), StringComparison.Ordinal);
        await client.SendAsync(new byte[] { 0x16, 0x03 }, Ct);

        Assert.Equal(reason, rig.NextFailure(Ct));
        Assert.StartsWith("5", await client.ReadLineAsync(Ct), StringComparison.Ordinal);
        Assert.Null(await client.ReadLineAsync(Ct));
    }
}
