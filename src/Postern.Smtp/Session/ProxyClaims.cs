namespace Postern.Smtp.Session;

/// <summary>
/// What a load balancer said of a connection in its PROXY protocol header (version 2), beside the addresses. Claims of the balancer, not
/// facts of ours.
/// </summary>
public sealed record ProxyClaims
{
    /// <summary>Nothing was said.</summary>
    public static ProxyClaims None { get; } = new();

    /// <summary>The application protocol that was agreed on with the client.</summary>
    public string? Alpn { get; init; }

    /// <summary>The host name that the client asked for, as in SNI.</summary>
    public string? Authority { get; init; }

    /// <summary>The balancer's name for the connection: at most 128 octets, in hex where it is not printable.</summary>
    public string? UniqueId { get; init; }

    /// <summary>Where in the balancer's machine the connection came in.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>Null where the client did not speak TLS to the balancer.</summary>
    public ProxyTls? Tls { get; init; }
}

/// <summary>
/// The TLS between a client and the load balancer, as the balancer tells it. It protects nothing between the balancer and this server.
/// </summary>
/// <param name="HasCertificate">The client has shown a certificate, on this connection or earlier in the TLS session.</param>
/// <param name="IsVerified">That certificate was verified by the balancer.</param>
/// <param name="Version">As in <c>TLSv1.3</c>.</param>
/// <param name="Cipher">The suite, by the balancer's name for it.</param>
/// <param name="CommonName">Of the client's certificate.</param>
public sealed record ProxyTls(bool HasCertificate, bool IsVerified, string? Version, string? Cipher, string? CommonName);
