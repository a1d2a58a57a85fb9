using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Delivery.Logins;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Says on what terms a host is spoken to: which TLS it needs, by what its certificate is verified, which login is made. Asked for each
/// host before it is connected to, so that an answer may rest on what is looked up for it: DANE (RFC 7672), MTA-STS (RFC 8461), a policy of
/// a destination.
/// </summary>
internal interface IHopPolicy
{
    /// <param name="hop">For mail exchangers it knows the domain whose mail they take.</param>
    /// <param name="host">One of the hop's.</param>
    /// <param name="isAuthentic">DNSSEC proves that it is (RFC 7672 §2.2).</param>
    ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct);

    /// <summary>
    /// Whether some terms with a hop can prove that its hosts are the ones that were meant: without, a message with REQUIRETLS is refused
    /// before anybody is connected to (RFC 8689 §4.2.1).
    /// </summary>
    bool CanProve(NextHop hop) => hop is NextHop.SmartHost;
}

/// <summary>
/// As the route says for a host that it names; any certificate or none for mail exchangers (RFC 7435), whose names come from DNS without
/// proof.
/// </summary>
internal sealed class RouteTerms : IHopPolicy
{
    public static RouteTerms Instance { get; } = new();

    public ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct) =>
        new(hop is NextHop.SmartHost named ? HopTerms.Of(named, named.Servers[host.Preference]) : HopTerms.Strangers);
}

/// <summary>On what terms a host is spoken to.</summary>
/// <param name="IsGuarded">Its addresses came from a stranger's DNS.</param>
/// <param name="Trusted">Null: by the trusted roots of the system.</param>
internal sealed record HopTerms(ClientTls Tls, bool IsGuarded, ClientLogin? Login = null, X509Certificate2Collection? Trusted = null)
{
    /// <summary>A server that calls itself as this one does is another all the same.</summary>
    public bool MayHaveOurName { get; init; }

    /// <summary>The name to ask for, and that its certificate must be for; null: the host's.</summary>
    public string? CertificateName { get; init; }

    /// <summary>Decides about its certificate instead of name and issuer; null: nobody else does.</summary>
    public IServerProof? Proof { get; init; }

    /// <summary>Whose word these terms are, for the log.</summary>
    public TlsPolicy Policy { get; init; } = TlsPolicy.Opportunistic;

    /// <summary>
    /// A certificate that verifies proves that the host is one which takes the mail: its name is the operator's, or DNSSEC or a policy of
    /// the domain proves it.
    /// </summary>
    public bool ProvesHost { get; init; }

    /// <summary>What is wrong already, though the host is spoken to; null where nothing is.</summary>
    public TlsFault? Fault { get; init; }

    /// <summary>Where the access token of the login comes from; null where it needs none, or has one.</summary>
    public TokenGrant? Grant { get; init; }

    /// <summary>Shown in the handshake; null for none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>How it is told whose mail it is given.</summary>
    public ClientForward Forward { get; init; }

    /// <summary>Why it is not spoken to at all; null where it may be.</summary>
    public Outcome? WhyNot { get; init; }

    /// <summary>What sessions on these terms are counted under; null where they are not counted.</summary>
    public TlsSubject? Subject { get; init; }

    /// <summary>For mail exchangers: any certificate, or none (RFC 7435).</summary>
    public static HopTerms Strangers { get; } = new(ClientTls.Opportunistic, IsGuarded: true);

    public static HopTerms Of(NextHop.SmartHost hop, NextHop.Server server) =>
        new(server.Tls, IsGuarded: false, hop.Login, hop.Trusted)
        {
            // Who has the mailboxes of this machine is often called as it is, and LMTP leads to no server that relays.
            MayHaveOurName = hop.MayHaveOurName || server.IsLmtp,
            Grant = hop.Grant,
            Certificate = hop.Certificate,
            Forward = hop.Forward,
            Policy = TlsPolicy.Route,
            ProvesHost = true,
        };
}
