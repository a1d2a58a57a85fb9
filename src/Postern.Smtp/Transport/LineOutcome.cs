namespace Postern.Smtp.Transport;

/// <summary>What a look for one line found.</summary>
internal enum LineOutcome
{
    /// <summary>A whole line, its end taken off.</summary>
    Line,

    /// <summary>No CRLF yet, and the limit is not reached.</summary>
    NeedMore,

    /// <summary>The limit was passed before a CRLF came.</summary>
    TooLong,

    /// <summary>A bare CR, a bare LF or a NUL, or a TLS handshake: not SMTP, or an attack.</summary>
    BadOctet,

    /// <summary>The peer is gone.</summary>
    Closed,
}
