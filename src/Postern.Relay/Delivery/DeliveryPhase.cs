namespace Postern.Relay.Delivery;

/// <summary>How far an attempt came for a recipient; the words of the log are these in lower case.</summary>
public enum DeliveryPhase
{
    /// <summary>Finding the hosts and their addresses.</summary>
    Dns,

    /// <summary>Connecting, up to the answer to EHLO.</summary>
    Connect,

    /// <summary>STARTTLS or the handshake.</summary>
    Tls,

    /// <summary>AUTH.</summary>
    Login,

    /// <summary>MAIL.</summary>
    Mail,

    /// <summary>RCPT.</summary>
    Rcpt,

    /// <summary>DATA or BDAT, and the content.</summary>
    Data,

    /// <summary>The answer to the end of the content.</summary>
    End,
}
