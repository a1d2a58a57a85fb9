using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport.Tls;

/// <summary>The server side of TLS, which remembers what it showed and what it was shown.</summary>
internal sealed class SecuredStream(HandshakeStream network) : SslStream(network, leaveInnerStreamOpen: false)
{
    /// <summary>What the client offers; null where it cannot be read.</summary>
    public ClientHello? HelloFor(SslProtocols spoken) => ClientHello.Read(network.First, spoken);

    /// <summary>The certificate of this handshake.</summary>
    public TlsCertificate? Shown { get; set; }

    /// <summary>Why the handshake failed; null while it has not.</summary>
    public string? Trouble { get; set; }

    public ClientCertificate? ClientCertificate { get; private set; }

    /// <summary>Once the handshake is over.</summary>
    public TlsFacts Facts => new(SslProtocol, NegotiatedCipherSuite.ToString(), TargetHostName is { Length: > 0 } name ? name : null) { ClientCertificate = ClientCertificate };

    /// <summary>
    /// Writes down what the client showed, and lets it pass: none is required, and what a bad one is worth is not decided here.
    /// </summary>
    public static bool NoteClientCertificate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (sender is SecuredStream stream && certificate is X509Certificate2 shown)
            stream.ClientCertificate = ClientCertificateReader.Read(shown, chain, errors);
        return true;
    }
}
