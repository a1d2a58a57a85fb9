namespace Postern.Smtp.Client;

/// <summary>How the client protects a connection.</summary>
public enum ClientTls
{
    /// <summary>Never.</summary>
    None,

    /// <summary>STARTTLS where it is offered, with any certificate (RFC 7435): protects against those who only listen.</summary>
    Opportunistic,

    /// <summary>STARTTLS with a certificate that verifies, or nothing is sent.</summary>
    Required,

    /// <summary>TLS from the first octet (RFC 8314), with a certificate that verifies.</summary>
    Implicit,
}
