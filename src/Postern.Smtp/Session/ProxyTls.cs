namespace Postern.Smtp.Session;

/// <summary>The TLS between a client and the load balancer, as the balancer tells it. It protects nothing between the balancer and this server.</summary>
/// <param name="HasCertificate">The client has shown a certificate, on this connection or earlier in the TLS session.</param>
/// <param name="IsVerified">That certificate was verified by the balancer.</param>
/// <param name="Version">As in <c>TLSv1.3</c>.</param>
/// <param name="Cipher">The suite, by the balancer's name for it.</param>
/// <param name="CommonName">Of the client's certificate.</param>
public sealed record ProxyTls(bool HasCertificate, bool IsVerified, string? Version, string? Cipher, string? CommonName);
