namespace Postern.Interop.Tests.Server;

/// <summary>How a client comes to TLS.</summary>
public enum Way
{
    /// <summary>Port 587: in clear until STARTTLS (RFC 3207).</summary>
    StartTls,

    /// <summary>Port 465: TLS from the first octet (RFC 8314).</summary>
    Implicit,
}
