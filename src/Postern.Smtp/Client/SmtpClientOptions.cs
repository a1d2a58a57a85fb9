using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Client;

/// <summary>How a client behaves on its connections.</summary>
public sealed record SmtpClientOptions
{
    /// <summary>What it calls itself in EHLO: a name of this host, or an address literal.</summary>
    public required Domain Hostname { get; init; }

    /// <summary>
    /// Speaks LMTP (RFC 2033) in place of SMTP: LHLO, and behind the content an answer for each recipient that was accepted.
    /// </summary>
    public bool IsLmtp { get; init; }

    /// <summary>How TLS is used.</summary>
    public ClientTls Tls { get; init; } = ClientTls.Opportunistic;

    /// <summary>
    /// The name for SNI and for verifying the certificate, or an IP address, which must then be in its subjectAltName; needed where
    /// <see cref="Tls"/> verifies.
    /// </summary>
    public string? ServerName { get; init; }

    /// <summary>Shown to a server that asks for one, with its private key (EXTERNAL); null for none. Stays the caller's.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// What the certificate is verified against in place of the platform's trusted roots: authorities, or the server's certificate itself.
    /// Null for the platform's.
    /// </summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>
    /// Replaces the platform's verification where <see cref="Tls"/> verifies; null: name, issuer, date and usage are verified.
    /// </summary>
    public RemoteCertificateValidationCallback? VerifyCertificate { get; init; }

    /// <summary>
    /// Decides about the certificate in the place of name and issuer, and of <see cref="VerifyCertificate"/>; null: nobody else does.
    /// </summary>
    public IServerProof? Proof { get; init; }

    /// <summary>
    /// What is known of certificates from other connections; null: each connection finds out for itself. Not asked where
    /// <see cref="VerifyCertificate"/> decides, or a <see cref="Proof"/> whose answers are not kept.
    /// </summary>
    public TlsMemory? Memory { get; init; }

    /// <summary>How the server is told whose mail it is given.</summary>
    public ClientForward Forward { get; init; }

    /// <summary>
    /// Whom a PROXY header names, by <see cref="PeerClaims.Address"/>, <see cref="PeerClaims.ServerAddress"/> and their ports; null: the
    /// connection is this machine's own.
    /// </summary>
    public PeerClaims? Client { get; init; }

    /// <summary>What becomes of 8-bit content where the server does not offer 8BITMIME.</summary>
    public EightBitFallback EightBit { get; init; } = EightBitFallback.SendAsIs;

    /// <summary>How long each answer is waited for.</summary>
    public SmtpTimeouts Timeouts { get; init; } = SmtpTimeouts.Default;

    /// <summary>How much a server may say.</summary>
    public ReplyLimits Replies { get; init; } = ReplyLimits.Default;

    /// <summary>Where deadlines come from.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>
/// What to do with 8-bit content when the server lacks 8BITMIME. RFC 6152 §3 names conversion and refusal; conversion rewrites the
/// body, which breaks signatures, so it is not offered.
/// </summary>
public enum EightBitFallback
{
    /// <summary>
    /// Send the octets as they are, without BODY=: every server in use passes them, and a refusal would lose the message.
    /// </summary>
    SendAsIs,

    /// <summary>Refuse for all recipients with 5.6.3, as the RFC's letter asks.</summary>
    Refuse,
}

/// <summary>How the client protects a connection.</summary>
public enum ClientTls
{
    /// <summary>Never.</summary>
    None,

    /// <summary>STARTTLS where it is offered, with any certificate (RFC 7435): protects against those who only listen.</summary>
    Opportunistic,

    /// <summary>STARTTLS with any certificate, or nothing is sent: whoever takes STARTTLS off the offer gets no mail in clear.</summary>
    Encrypted,

    /// <summary>STARTTLS with a certificate that verifies, or nothing is sent.</summary>
    Required,

    /// <summary>TLS from the first octet (RFC 8314), with a certificate that verifies.</summary>
    Implicit,
}
