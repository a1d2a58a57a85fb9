using System.Net;

namespace Postern.Smtp.Transport;

/// <summary>One way in: where to listen and what is on offer there.</summary>
public sealed record SmtpListenerOptions
{
    /// <summary>As it appears in logs and decisions.</summary>
    public required string Name { get; init; }

    /// <summary>Port 0 takes a free one; <see cref="SmtpServer.Endpoints"/> tells which. An IPv6 endpoint takes IPv6 clients only.</summary>
    public required IReadOnlyList<IPEndPoint> Endpoints { get; init; }

    public TlsMode Tls { get; init; } = TlsMode.StartTls;

    public AuthMode Auth { get; init; } = AuthMode.TlsOnly;

    /// <summary>Mechanism names to offer, in this order; null for every mechanism that the verifiers can answer.</summary>
    public IReadOnlyList<string>? Mechanisms { get; init; }

    /// <summary>Clients that may connect here; null for all. Others are answered 554 5.7.1 and disconnected.</summary>
    public IReadOnlyList<IPNetwork>? Clients { get; init; }
}
