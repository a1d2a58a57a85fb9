namespace Postern.Smtp.Transport;

/// <summary>How a listener uses TLS.</summary>
public enum TlsMode
{
    /// <summary>Never.</summary>
    None,

    /// <summary>Offered by STARTTLS (RFC 3207); mail without it is possible.</summary>
    StartTls,

    /// <summary>By STARTTLS, and nothing but greetings before it.</summary>
    Required,

    /// <summary>From the first octet (RFC 8314 §3.3, port 465).</summary>
    Implicit,
}
