using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Transport;

/// <summary>
/// A certificate to show, prepared once for all handshakes. It must not be disposed while a server may still show it, nor right after it
/// was replaced: a handshake that began with it ends with it. Left alone, it goes with the last of them.
/// </summary>
public sealed class TlsCertificate
{
    private const string RsaKey = "1.2.840.113549.1.1.1";

    private readonly X509Certificate2Collection? chain;

    /// <param name="certificate">With its private key.</param>
    /// <param name="chain">Intermediates to send along; may be null.</param>
    /// <exception cref="ArgumentException">There is no private key.</exception>
    public TlsCertificate(X509Certificate2 certificate, X509Certificate2Collection? chain = null)
    {
        if (!certificate.HasPrivateKey)
            throw new ArgumentException("a certificate without its private key cannot be shown", nameof(certificate));
        Certificate = certificate;
        Names = SubjectNames.Of(certificate).Dns;
        this.chain = chain;
        IsRsa = certificate.PublicKey.Oid.Value == RsaKey;
        Context = NewContext();
        EndPoint = EndPointHash.Of(certificate);
    }

    /// <summary>The certificate itself, with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>
    /// The DNS names of its subjectAltName, <c>*.example.org</c> among them; a client that asks for one of them by SNI is shown this
    /// certificate.
    /// </summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>The runtime keeps session tickets in it: one for as long as the certificate is shown.</summary>
    internal SslStreamCertificateContext Context { get; }

    internal bool IsRsa { get; }

    /// <summary>For <c>tls-server-end-point</c>; null where none is defined.</summary>
    internal byte[]? EndPoint { get; }

    /// <summary>One that nobody else uses: what is set in it holds for whoever has it.</summary>
    internal SslStreamCertificateContext NewContext() => SslStreamCertificateContext.Create(Certificate, chain, offline: true);

    internal bool Suits(ClientHello hello) => IsRsa ? hello.TakesRsa : hello.TakesEcdsa;
}
