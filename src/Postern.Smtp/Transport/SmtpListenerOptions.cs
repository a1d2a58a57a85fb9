using System.Net;
using System.Security.Authentication;
using Postern.Sasl;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport;

/// <summary>One way in: where to listen and what is on offer there.</summary>
public sealed record SmtpListenerOptions
{
    /// <summary>As it appears in logs and decisions.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Port 0 takes a free one; <see cref="SmtpServer.Endpoints"/> tells which. An IPv6 endpoint takes IPv6 clients only.
    /// </summary>
    public IReadOnlyList<IPEndPoint> Endpoints { get; init; } = [];

    /// <summary>How TLS is used here.</summary>
    public TlsMode Tls { get; init; } = TlsMode.StartTls;

    /// <summary>When AUTH is offered here.</summary>
    public AuthMode Auth { get; init; } = AuthMode.TlsOnly;

    /// <summary>Mechanism names to offer, in this order; null for every mechanism that the verifiers can answer.</summary>
    public IReadOnlyList<string>? Mechanisms { get; init; }

    /// <summary>
    /// The -PLUS mechanisms among <see cref="Mechanisms"/> are offered only on connections that have what clients bind to
    /// (<see cref="TlsBindings"/>); where <see cref="Mechanisms"/> is null that is so in any case.
    /// </summary>
    public bool WithholdsUnboundPlus { get; init; }

    /// <summary>Mechanism names that are not offered here.</summary>
    public IReadOnlyList<string> WithoutMechanisms { get; init; } = [];

    /// <summary>
    /// Mechanism names that are offered under TLS only, where <see cref="Auth"/> is <see cref="AuthMode.Always"/> for the sake of others.
    /// In clear they are answered 504.
    /// </summary>
    public IReadOnlyList<string> MechanismsUnderTls { get; init; } = [];

    /// <summary>Clients that may connect here; null for all. Others are answered 554 5.7.1 and disconnected.</summary>
    public IReadOnlyList<IPNetwork>? Clients { get; init; }

    /// <summary>
    /// Keywords of extensions that are neither announced nor taken here, such as <c>DSN</c>; of
    /// <see cref="SmtpServer.OptionalExtensions"/>. AUTH and STARTTLS are not among them: <see cref="Auth"/> and <see cref="Tls"/> decide
    /// those.
    /// </summary>
    public IReadOnlyList<string> WithoutExtensions { get; init; } = [];

    /// <summary>What is spoken here.</summary>
    public MailProtocol Protocol { get; init; } = MailProtocol.Smtp;

    /// <summary>
    /// What becomes of a bare CR or LF, in content and at the end of commands, and of NUL in content. None of them ever ends a message.
    /// </summary>
    public BareNewlines BareNewlines { get; init; } = BareNewlines.Reject;

    /// <summary>Which addresses MAIL and RCPT take.</summary>
    public AddressGrammar Addresses { get; init; } = AddressGrammar.Lenient;

    /// <summary>The bounds of its sessions; null for the server's.</summary>
    public SessionLimits? Limits { get; init; }

    /// <summary>
    /// The TLS versions spoken here; null for those of <see cref="TlsOptions"/>. Versions below 1.2 only for devices that cannot do better.
    /// </summary>
    public SslProtocols? TlsProtocols { get; init; }

    /// <summary>
    /// The ciphers taken here, for this listener alone; null for those of the runtime and of this machine's OpenSSL, which are modern where
    /// its configuration does not widen them.
    /// </summary>
    public TlsCiphers? Ciphers { get; init; }

    /// <summary>
    /// Asks clients for a certificate in the handshake. One that is sent is a fact for policies and mechanisms, and never required.
    /// </summary>
    public bool AsksForClientCertificate { get; init; }

    /// <summary>
    /// The load balancers that connect here: each of their connections must open with a PROXY protocol header, which names the real client.
    /// From anyone else such a header is not SMTP. Null: no PROXY protocol here.
    /// </summary>
    public IReadOnlyList<IPNetwork>? ProxyFrom { get; init; }

    /// <summary>Clients that may say by XCLIENT on whose behalf they connect; null for none.</summary>
    public IReadOnlyList<IPNetwork>? XClientFrom { get; init; }

    /// <summary>Clients that may say by XFORWARD, for the logs, where a message came from; null for none.</summary>
    public IReadOnlyList<IPNetwork>? XForwardFrom { get; init; }

    /// <summary>Clients that may ask by XVERP that each recipient gets a sender of its own; null for none.</summary>
    public IReadOnlyList<IPNetwork>? XVerpFrom { get; init; }

    /// <summary>
    /// The verifiers that mechanisms may use here, in the place of <see cref="SmtpServerOptions.Sasl"/> and
    /// <see cref="SmtpServerOptions.Authenticator"/>; null for those.
    /// </summary>
    public SaslContext? Sasl { get; init; }

    /// <summary>Says here which user a client's certificate is; null for what the server's options say.</summary>
    public IClientCertificateUsers? ClientCertificateUsers { get; init; }

    /// <summary>By value, that of the lists included; who is asked about logins is not a part of it.</summary>
    public bool Equals(SmtpListenerOptions? other) =>
        other is not null
        && (Name, Tls, Auth, WithholdsUnboundPlus, Protocol, BareNewlines, Addresses) == (
            other.Name, other.Tls, other.Auth, other.WithholdsUnboundPlus, other.Protocol, other.BareNewlines, other.Addresses)
        && (Limits, TlsProtocols, Ciphers, AsksForClientCertificate) == (
            other.Limits, other.TlsProtocols, other.Ciphers, other.AsksForClientCertificate)
        && Same(Endpoints, other.Endpoints) && Same(Mechanisms, other.Mechanisms) && Same(WithoutMechanisms, other.WithoutMechanisms)
        && Same(MechanismsUnderTls, other.MechanismsUnderTls) && Same(WithoutExtensions, other.WithoutExtensions)
        && Same(Clients, other.Clients) && Same(ProxyFrom, other.ProxyFrom) && Same(XClientFrom, other.XClientFrom) && Same(
            XForwardFrom, other.XForwardFrom) && Same(XVerpFrom, other.XVerpFrom);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Tls, Auth, Protocol, Endpoints.Count);

    private static bool Same<T>(IReadOnlyList<T>? one, IReadOnlyList<T>? other) =>
        one is null || other is null ? one is null && other is null : one.SequenceEqual(other);
}

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

/// <summary>When a listener offers AUTH.</summary>
public enum AuthMode
{
    /// <summary>Never.</summary>
    Off,

    /// <summary>Only on a protected connection.</summary>
    TlsOnly,

    /// <summary>In clear too: for devices that cannot do better, on networks where that is acceptable.</summary>
    Always,
}

/// <summary>The protocol of a listener.</summary>
public enum MailProtocol
{
    /// <summary>RFC 5321.</summary>
    Smtp,

    /// <summary>RFC 2033: LHLO for EHLO, and at the end of data one reply for each recipient.</summary>
    Lmtp,
}

/// <summary>What becomes of a CR or LF that stands alone, and of NUL in content. None of them ever ends a message.</summary>
public enum BareNewlines
{
    /// <summary>
    /// A message with one is refused with 554 once it has been read to its end; a command line with one ends the connection.
    /// </summary>
    Reject,

    /// <summary>
    /// In content each becomes CRLF, and a NUL is taken out. A command line, or a response to a challenge, may end in LF. For devices that
    /// cannot do better.
    /// </summary>
    Normalize,
}

/// <summary>Which addresses MAIL and RCPT take.</summary>
public enum AddressGrammar
{
    /// <summary>
    /// Also those that exist without keeping to RFC 5321: local parts of more than 64 octets, and dots at their ends or beside each other
    /// without quotes. They go on in the same spelling.
    /// </summary>
    Lenient,

    /// <summary>Those of RFC 5321 §4.1.2 and §4.5.3.1.1 only; others are answered 501.</summary>
    Strict,
}

/// <summary>What a listener takes of the ciphers below TLS 1.3, whose own are always taken. Each takes all of the one before.</summary>
public enum TlsCiphers
{
    /// <summary>ECDHE with AES-GCM, and with AES-CBC under SHA-256 and SHA-384: forward secrecy, no SHA-1.</summary>
    Modern,

    /// <summary>
    /// For TLS 1.2 clients that cannot do that: also ChaCha20, ECDHE with AES-CBC under SHA-1, DHE, and RSA key exchange, which has no
    /// forward secrecy.
    /// </summary>
    Compatible,

    /// <summary>
    /// For devices that cannot do better: also 3DES where OpenSSL has it, short keys, and the signatures of TLS 1.0 and 1.1, which are then
    /// possible.
    /// </summary>
    Legacy,
}
