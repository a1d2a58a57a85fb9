namespace Postern.Relay.Delivery.Tls;

/// <summary>Which TLS mail to the mail exchangers of a domain has. What each means exactly is in <c>docs/tls-outward.md</c>.</summary>
public enum TlsLevel
{
    /// <summary>In clear, also where TLS is offered.</summary>
    None,

    /// <summary>TLS where it is offered and works, with any certificate, else in clear (RFC 7435).</summary>
    Opportunistic,

    /// <summary>TLS with any certificate, or the mail waits.</summary>
    Encrypt,

    /// <summary>TLS with a certificate for the host's name, or for one that the rule lists, or the mail waits.</summary>
    Verify,

    /// <summary>As the receiver publishes it by DANE (RFC 7672).</summary>
    Dane,

    /// <summary>As the receiver publishes it: by DANE, or else by MTA-STS (RFC 8461).</summary>
    MtaSts,
}

/// <summary>What follows where <see cref="TlsLevel.Dane"/> or <see cref="TlsLevel.MtaSts"/> find nothing published.</summary>
public enum TlsOtherwise
{
    Opportunistic,
    Encrypt,
    Verify,

    /// <summary>The mail waits.</summary>
    Defer,
}
