using System.Security.Authentication;

namespace Postern.Smtp.Session;

/// <summary>
/// What the handshake agreed on. <paramref name="Cipher"/> is the suite's IANA name, as in <c>TLS_AES_256_GCM_SHA384</c>.
/// </summary>
public sealed record TlsFacts(SslProtocols Protocol, string Cipher, string? ServerName)
{
    /// <summary>Null when the client was asked for none, or showed none.</summary>
    public ClientCertificate? ClientCertificate { get; init; }

    /// <summary><c>TLSv1.3</c>, the spelling that mail logs and Received fields use.</summary>
    public string Version => Protocol switch
    {
        SslProtocols.Tls13 => "TLSv1.3",
        SslProtocols.Tls12 => "TLSv1.2",
        _ => Protocol.ToString(),
    };
}
