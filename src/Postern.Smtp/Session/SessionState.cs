using System.Net;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Smtp.Session;

/// <summary>
/// The facts of one session, as policies, stores and events see them. Written only by the session itself, on its own
/// loop; readers are called from that loop and keep no reference.
/// </summary>
public sealed class SessionState
{
    private IPAddress clientAddress = IPAddress.None;
    private int clientPort;
    private ILoginAuthority? authority;

    /// <summary>Random, for logs: 12 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>The name of the listener that accepted the connection.</summary>
    public required string Listener { get; init; }

    /// <summary>This server's own name, as in the greeting.</summary>
    public required string Hostname { get; init; }

    /// <summary>
    /// The client's address, IPv4-mapped IPv6 already turned into IPv4. Behind a listed load balancer it is the one in the PROXY header,
    /// after XCLIENT the one that was claimed there: 255.255.255.255 where it was said to be unknown.
    /// </summary>
    public required IPAddress ClientAddress { get => clientAddress; init => clientAddress = value; }

    /// <summary>The client's port; 0 where it has none.</summary>
    public int ClientPort { get => clientPort; init => clientPort = value; }

    /// <summary>Where the client connected to: here, or at the load balancer. Null where the connection has no addresses.</summary>
    public IPEndPoint? ServerEndpoint { get; internal set; }

    /// <summary>The load balancer that opened the connection with a PROXY header; null without one.</summary>
    public IPAddress? ProxyAddress { get; init; }

    /// <summary>What that load balancer claims of the client's connection.</summary>
    public ProxyClaims ProxyClaims { get; init; } = ProxyClaims.None;

    /// <summary>What the peer may say of others; a fact of its own address, which XCLIENT does not change.</summary>
    internal PeerTrust Trust { get; init; }

    /// <summary>The peer that has named another client by XCLIENT; null where the client speaks for itself.</summary>
    public IPAddress? XClientPeer { get; private set; }

    /// <summary>What was said by XCLIENT, over all its commands.</summary>
    public PeerClaims XClient { get; private set; } = PeerClaims.None;

    /// <summary>What was said by XFORWARD of the next message's origin: for the logs, and for nothing else.</summary>
    public PeerClaims Forwarded { get; internal set; } = PeerClaims.None;

    /// <summary>The session speaks LMTP (RFC 2033).</summary>
    public bool IsLmtp { get; init; }

    /// <summary>When the connection was accepted.</summary>
    public DateTimeOffset ConnectedAt { get; init; }

    /// <summary>The position in the dialogue.</summary>
    public Phase Phase { get; internal set; } = Phase.Connected;

    /// <summary>Null on an unprotected connection.</summary>
    public TlsFacts? Tls { get; internal set; }

    /// <summary>The argument of EHLO or HELO; null before it.</summary>
    public string? HeloName { get; internal set; }

    /// <summary>The client said EHLO, not HELO.</summary>
    public bool IsExtended { get; internal set; }

    /// <summary>
    /// What AUTH ended with; null before that. It never changes once set: a session logs in once. After ANONYMOUS it is set and says
    /// nothing: <see cref="Login"/> says whether somebody has logged in.
    /// </summary>
    public SaslIdentity? Identity { get; internal set; }

    /// <summary>The mechanism of that login.</summary>
    public string? Mechanism { get; internal set; }

    /// <summary>What the authenticator, or the mechanism, wanted to be remembered with that login; null where it wanted nothing.</summary>
    public object? LoginData { get; internal set; }

    /// <summary>
    /// Which of the user's secrets proved that login, by a name that tells nothing of it; null where nobody can say, or it was no secret.
    /// </summary>
    public string? Credential { get; internal set; }

    /// <summary>
    /// Somebody has proven who it is. ANONYMOUS (RFC 4505) gives an identity and proves nothing: it permits nothing that its absence does
    /// not.
    /// </summary>
    public bool IsLoggedIn => Login is not null;

    /// <summary>
    /// On whose behalf the client acts (the authorization identity); null where <see cref="IsLoggedIn"/> is false, after ANONYMOUS too.
    /// What is written down, permitted or counted of a login asks this.
    /// </summary>
    public string? Login =>
        Identity is { } identity
            && identity.AuthenticationId != AnonymousMechanism.User
            && !string.Equals(Mechanism, AnonymousMechanism.Instance.Name, StringComparison.OrdinalIgnoreCase)
            ? identity.AuthorizationId
            : null;

    /// <summary>Who has proven itself for <see cref="Login"/>: the same name, unless it acts for another. Null where that is.</summary>
    public string? LoginProvenBy => IsLoggedIn ? Identity!.AuthenticationId : null;

    /// <summary>
    /// Knows whether the login still holds; null without one, and where nobody can say. Read by other threads than the session's too.
    /// </summary>
    internal ILoginAuthority? Authority { get => Volatile.Read(ref authority); set => Volatile.Write(ref authority, value); }

    /// <summary>Failed logins so far.</summary>
    public int FailedLogins { get; internal set; }

    /// <summary>
    /// True when AUTH is on offer here and now: logging in would help. Never after an AUTH that went well, ANONYMOUS included: there is one
    /// a session.
    /// </summary>
    public bool OffersAuth { get => field && Identity is null; internal set; }

    /// <summary>True when AUTH would be on offer once TLS is up: STARTTLS and logging in would help.</summary>
    public bool OffersAuthAfterTls { get => field && Identity is null; internal set; }

    /// <summary>
    /// The verb behind which the client sent more where it has to wait for the reply: before EHLO has offered PIPELINING, or behind a
    /// command that ends a group (RFC 2920 §3.1). The first such; null where there was none.
    /// </summary>
    public string? PipelinedBehind { get; internal set; }

    /// <summary>The mail transaction that is open; null where none is.</summary>
    public Transaction? Transaction { get; internal set; }

    /// <summary>Room for one policy to keep what it looked up for this session; it dies with EHLO, STARTTLS and AUTH.</summary>
    public object? PolicyMemo { get; set; }

    /// <summary>ESMTPSA and its siblings (RFC 3848; RFC 6531 §3.7.3 for a transaction with SMTPUTF8), for Received and the logs.</summary>
    public string Protocol => (IsExtended, Tls is not null, IsLoggedIn) switch
    {
        (true, true, true) => IsUtf8 ? (IsLmtp ? "UTF8LMTPSA" : "UTF8SMTPSA") : IsLmtp ? "LMTPSA" : "ESMTPSA",
        (true, true, false) => IsUtf8 ? (IsLmtp ? "UTF8LMTPS" : "UTF8SMTPS") : IsLmtp ? "LMTPS" : "ESMTPS",
        (true, false, true) => IsUtf8 ? (IsLmtp ? "UTF8LMTPA" : "UTF8SMTPA") : IsLmtp ? "LMTPA" : "ESMTPA",
        (true, false, false) => IsUtf8 ? (IsLmtp ? "UTF8LMTP" : "UTF8SMTP") : IsLmtp ? "LMTP" : "ESMTP",
        (false, _, _) => IsLmtp ? "LMTP" : "SMTP",
    };

    /// <summary>XCLIENT: another client, who has said nothing yet. A login counts only when it came by the same command.</summary>
    internal void Become(PeerClaims claims, bool withLogin)
    {
        XClientPeer ??= ClientAddress;
        XClient = claims;
        // What the peer may do by its own address is not for a client that nobody knows.
        clientAddress = claims.IsAddressUnknown ? IPAddress.None : claims.Address ?? clientAddress;
        clientPort = claims.Port ?? clientPort;
        if (claims.ServerAddress is { } server)
            ServerEndpoint = new IPEndPoint(server, claims.ServerPort ?? ServerEndpoint?.Port ?? 0);
        HeloName = null;
        IsExtended = false;
        Identity = withLogin && claims.Login is { } login ? new SaslIdentity(login, login) : null;
        Mechanism = Identity is null ? null : "XCLIENT";
        LoginData = null;
        Authority = null;
        Credential = null;
        PipelinedBehind = null;
        PolicyMemo = null;
    }

    /// <summary>What the client has shown of itself; null where the connection is another's, who speaks for it by XCLIENT.</summary>
    internal ClientCertificate? OwnCertificate => XClientPeer is null ? Tls?.ClientCertificate : null;

    private bool IsUtf8 => Transaction is { Parameters.IsUtf8: true };

    /// <summary>STARTTLS: back to the greeting, with nothing remembered (RFC 3207 §4.2).</summary>
    internal void ForgetAll(TlsFacts tls)
    {
        Phase = Phase.Connected;
        Tls = tls;
        HeloName = null;
        IsExtended = false;
        Identity = null;
        Mechanism = null;
        LoginData = null;
        Authority = null;
        Credential = null;
        PipelinedBehind = null;
        Transaction = null;
        PolicyMemo = null;
    }
}
