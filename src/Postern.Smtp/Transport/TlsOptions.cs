using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Transport;

/// <summary>
/// What a server shows in its handshakes, for as long as it runs: a certificate, others for clients that ask for them by name (SNI), and
/// the protocol floor. The certificates can be replaced at any time; connections do not notice.
/// </summary>
/// <remarks>
/// Of an RSA and an ECDSA certificate for the same name the first is shown that the client can use. ALPN is not negotiated: a client that
/// offers it, whatever it offers, gets a handshake without it (RFC 7301 §3.1), and one that then speaks HTTP is disconnected at its first
/// line.
/// </remarks>
public sealed class TlsOptions
{
    private volatile CertificateSet current;

    /// <param name="certificate">With its private key.</param>
    /// <param name="chain">Intermediates to send along; may be null.</param>
    /// <param name="protocols">TLS 1.2 and 1.3 unless said otherwise; a listener may say otherwise for itself.</param>
    public TlsOptions(
        X509Certificate2 certificate,
        X509Certificate2Collection? chain = null,
        SslProtocols protocols = SslProtocols.Tls12 | SslProtocols.Tls13)
        : this(new TlsCertificate(certificate, chain), [], protocols)
    {
    }

    /// <param name="primary">For clients that ask for no name, or for one that no certificate has.</param>
    /// <param name="more">
    /// Shown to clients that ask for a name in their subjectAltName. The first certificate that has a name counts.
    /// </param>
    public TlsOptions(
        TlsCertificate primary, IEnumerable<TlsCertificate> more, SslProtocols protocols = SslProtocols.Tls12 | SslProtocols.Tls13)
    {
        current = new CertificateSet(primary, more);
        Protocols = protocols;
    }

    /// <summary>The primary certificate of this moment.</summary>
    public X509Certificate2 Certificate => current.Primary.Certificate;

    /// <summary>The versions spoken where a listener does not say otherwise.</summary>
    public SslProtocols Protocols { get; }

    internal CertificateSet Current => current;

    /// <summary>What other protocols show that share these certificates, with its chain; of this moment.</summary>
    /// <param name="serverName">That the client asks for (SNI); null or empty for none.</param>
    public SslStreamCertificateContext ContextFor(string? serverName) => current.Find(serverName).Context;

    /// <summary>
    /// Shows these instead of all before, from the next handshake on. A handshake under way ends with what it began with, sessions stay as
    /// they are. Tickets for resumption go with their certificate. Any thread may call.
    /// </summary>
    public void Replace(TlsCertificate primary, params IEnumerable<TlsCertificate> more) => current = new CertificateSet(primary, more);

    /// <summary>
    /// For development and tests only: a fresh self-signed certificate (ECDSA P-256, one year), which no client trusts by itself. It is
    /// made anew at each call and never stored.
    /// </summary>
    /// <param name="hostname">The name in it, such as <c>localhost</c>; the loopback addresses are in it too.</param>
    public static TlsOptions SelfSigned(string hostname) => new(SelfSignedCertificate.Create(hostname, TimeProvider.System));
}
