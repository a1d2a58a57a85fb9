namespace Postern.Smtp.Client;

/// <summary>How a dialogue ended without a reply that decides.</summary>
public enum ClientFault
{
    /// <summary>The server said nothing in time.</summary>
    Timeout,

    /// <summary>The connection was closed or reset.</summary>
    ConnectionLost,

    /// <summary>The server broke the protocol.</summary>
    ProtocolError,

    /// <summary>Octets came in clear behind the 220 to STARTTLS (RFC 3207 §6).</summary>
    Injection,

    /// <summary>TLS is required and the server does not offer it, or refuses.</summary>
    TlsUnavailable,

    /// <summary>The handshake failed, or the certificate did where it must be valid.</summary>
    TlsFailed,
}
