namespace Postern.Relay.Delivery;

/// <summary>
/// Why an attempt ended as it did for a recipient. Whatever is decided about a message is decided by these and by codes, never by the text
/// of a reply.
/// </summary>
public enum DeliveryCause
{
    /// <summary>The next hop took the message.</summary>
    None,

    /// <summary>The next hop answered 4xx or 5xx.</summary>
    Refused,

    /// <summary>Nobody was there to speak to: no connection, no greeting, no answer from DNS.</summary>
    Unreachable,

    /// <summary>The dialogue broke off: the connection was lost, the next hop fell silent, or broke the protocol.</summary>
    Broken,

    /// <summary>
    /// No way leads there: the domain does not exist, takes no mail, or its hosts have no address that may be connected to.
    /// </summary>
    NoRoute,

    /// <summary>TLS is owed here, and the next hop does not offer it, fails in its handshake or cannot prove its name.</summary>
    NoTls,

    /// <summary>The next hop does not offer an extension without which this message may not go there. It was not sent.</summary>
    NotCapable,

    /// <summary>The login of the route was refused or could not be made.</summary>
    LoginFailed,

    /// <summary>The message would come back to this server.</summary>
    Loop,

    /// <summary>The time that the sender gave it is over.</summary>
    Expired,

    /// <summary>An operator had it returned to its sender.</summary>
    Returned,

    /// <summary>Its time came before its turn: it waited for a rate, for a connection, or behind other mail. It was not tried.</summary>
    NoTurn,

    /// <summary>This machine ran short of something: no attempt, so it counts for none and gives nothing up.</summary>
    OwnShortage,

    /// <summary>
    /// A key, a certificate or the network of this machine cannot be used, what is to be signed cannot be, or the spool cannot record what
    /// would be sent. It counts as an attempt.
    /// </summary>
    OwnSurroundings,

    /// <summary>A mistake in this program or unreadable content; enough of them in a row hold the message.</summary>
    Mistake,
}
