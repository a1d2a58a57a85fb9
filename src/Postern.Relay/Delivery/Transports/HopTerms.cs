using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>On what terms a host is spoken to.</summary>
/// <param name="IsGuarded">Its addresses came from a stranger's DNS.</param>
/// <param name="Trusted">Null: by the trusted roots of the system.</param>
internal sealed record HopTerms(ClientTls Tls, bool IsGuarded, ClientLogin? Login = null, X509Certificate2Collection? Trusted = null)
{
    /// <summary>A server that calls itself as this one does is another all the same.</summary>
    public bool MayHaveOurName { get; init; }

    /// <summary>The name that its certificate must be for; null: the host's.</summary>
    public string? CertificateName { get; init; }

    /// <summary>Why it is not spoken to at all; null where it may be.</summary>
    public Outcome? WhyNot { get; init; }

    /// <summary>For mail exchangers: any certificate, or none (RFC 7435).</summary>
    public static HopTerms Strangers { get; } = new(ClientTls.Opportunistic, IsGuarded: true);

    public static HopTerms Of(NextHop.SmartHost hop, NextHop.Server server) => new(server.Tls, IsGuarded: false, hop.Login, hop.Trusted) { MayHaveOurName = hop.MayHaveOurName };
}
