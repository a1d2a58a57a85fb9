using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Transport;

/// <summary>
/// The certificate of a server and the protocol floor. One options object is made for it and reused by every handshake: the
/// runtime keeps its session tickets there.
/// </summary>
public sealed class TlsOptions
{
    private readonly SslServerAuthenticationOptions authentication;

    /// <param name="certificate">With its private key.</param>
    /// <param name="chain">Intermediates to send along; may be null.</param>
    /// <param name="protocols">TLS 1.2 and 1.3 unless said otherwise.</param>
    public TlsOptions(X509Certificate2 certificate, X509Certificate2Collection? chain = null, SslProtocols protocols = SslProtocols.Tls12 | SslProtocols.Tls13)
    {
        Certificate = certificate;
        authentication = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
            EnabledSslProtocols = protocols,
            AllowRenegotiation = false,
            ClientCertificateRequired = false,
        };
    }

    /// <summary>What clients are shown.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>
    /// For development and tests only: a fresh self-signed certificate (ECDSA P-256, one year), which no client trusts by itself. It is made
    /// anew at each call and never stored.
    /// </summary>
    /// <param name="hostname">The name in it, such as <c>localhost</c>; the loopback addresses are in it too.</param>
    public static TlsOptions SelfSigned(string hostname) => new(SelfSignedCertificate.Create(hostname, TimeProvider.System));

    internal SslServerAuthenticationOptions Authentication => authentication;
}
