using System.Net;
using Postern.Sasl;

namespace Postern.Smtp.Session;

/// <summary>
/// The facts of one session, as policies, stores and events see them. Written only by the session itself, on its own
/// loop; readers are called from that loop and keep no reference.
/// </summary>
public sealed class SessionState
{
    /// <summary>Random, for logs: 12 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>The name of the listener that accepted the connection.</summary>
    public required string Listener { get; init; }

    /// <summary>This server's own name, as in the greeting.</summary>
    public required string Hostname { get; init; }

    /// <summary>The client's address, IPv4-mapped IPv6 already turned into IPv4.</summary>
    public required IPAddress ClientAddress { get; init; }

    /// <summary>The client's port; 0 where it has none.</summary>
    public int ClientPort { get; init; }

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

    /// <summary>Who logged in; null before that. It never changes once set: a session logs in once.</summary>
    public SaslIdentity? Identity { get; internal set; }

    /// <summary>The mechanism of that login.</summary>
    public string? Mechanism { get; internal set; }

    /// <summary>Failed logins so far.</summary>
    public int FailedLogins { get; internal set; }

    /// <summary>True when AUTH is on offer here and now: logging in would help.</summary>
    public bool OffersAuth { get; internal set; }

    /// <summary>True when AUTH would be on offer once TLS is up: STARTTLS and logging in would help.</summary>
    public bool OffersAuthAfterTls { get; internal set; }

    /// <summary>The mail transaction that is open; null where none is.</summary>
    public Transaction? Transaction { get; internal set; }

    /// <summary>Room for one policy to keep what it looked up for this session; it dies with EHLO, STARTTLS and AUTH.</summary>
    public object? PolicyMemo { get; set; }

    /// <summary>ESMTPSA and its siblings (RFC 3848; RFC 6531 §3.7.3 for a transaction with SMTPUTF8), for Received and the logs.</summary>
    public string Protocol => (IsExtended, Tls is not null, Identity is not null) switch
    {
        (true, true, true) => IsUtf8 ? (IsLmtp ? "UTF8LMTPSA" : "UTF8SMTPSA") : IsLmtp ? "LMTPSA" : "ESMTPSA",
        (true, true, false) => IsUtf8 ? (IsLmtp ? "UTF8LMTPS" : "UTF8SMTPS") : IsLmtp ? "LMTPS" : "ESMTPS",
        (true, false, true) => IsUtf8 ? (IsLmtp ? "UTF8LMTPA" : "UTF8SMTPA") : IsLmtp ? "LMTPA" : "ESMTPA",
        (true, false, false) => IsUtf8 ? (IsLmtp ? "UTF8LMTP" : "UTF8SMTP") : IsLmtp ? "LMTP" : "ESMTP",
        (false, _, _) => IsLmtp ? "LMTP" : "SMTP",
    };

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
        Transaction = null;
        PolicyMemo = null;
    }
}
